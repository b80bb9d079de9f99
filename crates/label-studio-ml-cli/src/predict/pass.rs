//! One pass over a project, and what is said at its end.

use std::io::Write;

use anyhow::Context;
use label_studio_sdk::client::ProjectInfo;

use super::run::{Parties, Run, RunSettings, Summary};
use crate::{project::Target, terminal::line};

/// Exit code of a run that ended although some tasks failed.
pub(crate) const SOME_FAILED: u8 = 3;

/// Predicts what is to be predicted now.
pub(super) fn predict_project(
    parties: Parties<'_>,
    settings: &RunSettings,
    project: &ProjectInfo,
    target: Target,
    after: i64,
) -> anyhow::Result<Summary> {
    let run = Run::new(parties, settings, project, target, after).and_then(Run::finish);
    run.with_context(|| {
        format!(
            "stopped; nothing is lost, and the same command goes on from there (its state is in {})",
            settings.journal.display()
        )
    })
}

/// Prints what became of the tasks.
pub(super) fn write_summary(
    out: &mut dyn Write,
    project: i64,
    summary: &Summary,
) -> anyhow::Result<()> {
    let counts = summary.counts;
    let mut parts = vec![format!(
        "{} tasks predicted with model version {}",
        counts.stored(),
        line(&summary.target.model_version)
    )];
    for (n_tasks, what) in [
        (counts.had_one, "had a prediction of it"),
        (counts.nothing, "without a prediction by the backend"),
        (counts.deleted, "deleted meanwhile"),
        (counts.failed, "failed"),
        (counts.refused, "refused by Label Studio"),
    ] {
        if n_tasks > 0 {
            parts.push(format!("{n_tasks} {what}"));
        }
    }
    writeln!(out, "project {project}: {}", parts.join(", "))?;
    for failure in &summary.failures {
        writeln!(out, "  {}", line(failure))?;
    }
    let n_failed = counts.failed + counts.refused;
    if n_failed > summary.failures.len() {
        writeln!(out, "  ... and {} more", n_failed - summary.failures.len())?;
    }
    Ok(())
}

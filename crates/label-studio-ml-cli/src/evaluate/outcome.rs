//! What an evaluation has found, as a table and as JSON.

use serde_json::{Map, Value, json};

use crate::{metrics::Interval, terminal::line};

/// A metric of a control.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Measure {
    pub(super) name: &'static str,
    pub(super) interval: Interval,
    /// Whether smaller is better.
    pub(super) is_error: bool,
}

/// Metrics of a label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LabelRow {
    pub(super) label: String,
    pub(super) precision: f64,
    pub(super) recall: f64,
    pub(super) f1: f64,
    pub(super) support: usize,
}

/// Which label was predicted (column) instead of which expected one (row).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Confusion {
    pub(super) labels: Vec<String>,
    pub(super) counts: Vec<Vec<usize>>,
}

/// All metrics of a control tag.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ControlReport {
    pub(super) name: String,
    pub(super) tag: String,
    pub(super) n_tasks: usize,
    pub(super) measures: Vec<Measure>,
    pub(super) labels: Vec<LabelRow>,
    pub(super) confusion: Option<Confusion>,
    /// Tasks and their value of the first measure, the worst first.
    pub(super) worst: Vec<(i64, f64)>,
}

/// All controls with the predictions of a model version.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct VersionReport {
    pub(super) model_version: String,
    pub(super) n_tasks: usize,
    /// Annotated tasks without a prediction of the version.
    pub(super) n_missing: usize,
    pub(super) controls: Vec<ControlReport>,
}

/// Everything.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Evaluation {
    pub(super) project: i64,
    /// The newest last.
    pub(super) versions: Vec<VersionReport>,
}

impl Measure {
    /// Returns whether the value is worse than a threshold.
    pub(super) fn misses(&self, threshold: f64) -> bool {
        if self.is_error {
            self.interval.value > threshold
        } else {
            self.interval.value < threshold
        }
    }
}

impl VersionReport {
    /// Returns a table for a terminal.
    pub(super) fn table(&self) -> String {
        let mut lines = vec![format!(
            "model version {}: {} tasks{}",
            line(&self.model_version),
            self.n_tasks,
            match self.n_missing {
                0 => String::new(),
                n_missing => format!(", {n_missing} annotated ones without a prediction of it"),
            }
        )];
        for control in &self.controls {
            for measure in &control.measures {
                let Interval { value, low, high } = measure.interval;
                lines.push(format!(
                    "  {:<20}  {:<14}  {value:.4}  ({low:.4} to {high:.4})",
                    line(&control.name),
                    measure.name
                ));
            }
        }
        lines.join("\n") + "\n"
    }
}

impl Evaluation {
    pub(super) fn to_json(&self) -> Value {
        let versions = self.versions.iter().map(|version| {
            let controls: Vec<_> = version
                .controls
                .iter()
                .map(ControlReport::to_json)
                .collect();
            json!({
                "model_version": version.model_version,
                "tasks": version.n_tasks,
                "missing": version.n_missing,
                "controls": controls,
            })
        });
        json!({ "project": self.project, "versions": versions.collect::<Vec<_>>() })
    }
}

impl ControlReport {
    fn to_json(&self) -> Value {
        let measures = self.measures.iter().map(|measure| {
            let Interval { value, low, high } = measure.interval;
            let json = json!({ "value": value, "low": low, "high": high });
            (measure.name.to_owned(), json)
        });
        let labels = self.labels.iter().map(|row| {
            json!({
                "label": row.label, "precision": row.precision, "recall": row.recall, "f1": row.f1,
                "support": row.support,
            })
        });
        let worst = self.worst.iter();
        let worst = worst.map(|(task, value)| json!({ "task": task, "value": value }));
        let confusion = self.confusion.as_ref();
        json!({
            "name": self.name,
            "tag": self.tag,
            "tasks": self.n_tasks,
            "measures": measures.collect::<Map<_, _>>(),
            "labels": labels.collect::<Vec<_>>(),
            "confusion": confusion.map(|table| json!({ "labels": table.labels, "counts": table.counts })),
            "worst": worst.collect::<Vec<_>>(),
        })
    }
}

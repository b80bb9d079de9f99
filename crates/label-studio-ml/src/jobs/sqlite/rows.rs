//! From rows to records.

use rusqlite::{Row, types::Type};

use crate::jobs::{Job, JobId, JobState};

/// Reads the columns of a job as it is shown.
pub(super) fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    let result: Option<String> = row.get(11)?;
    Ok(Job {
        id: JobId(row.get(0)?),
        project: row.get(1)?,
        kind: row.get(2)?,
        state: state_at(row, 3)?,
        attempts: row.get(4)?,
        max_attempts: row.get(5)?,
        run_at: row.get(6)?,
        worker: row.get(7)?,
        progress: row.get(8)?,
        message: row.get(9)?,
        error: row.get(10)?,
        result: result.and_then(|json| serde_json::from_str(&json).ok()),
        cancel: row.get(12)?,
        created_at: row.get(13)?,
        started_at: row.get(14)?,
        ended_at: row.get(15)?,
    })
}

/// Reads a row that is a state.
pub(super) fn state(row: &Row<'_>) -> rusqlite::Result<JobState> {
    state_at(row, 0)
}

fn state_at(row: &Row<'_>, idx: usize) -> rusqlite::Result<JobState> {
    let name: String = row.get(idx)?;
    JobState::parse(&name).ok_or_else(|| {
        let error = format!("{name:?} is no state of a job");
        rusqlite::Error::FromSqlConversionFailure(idx, Type::Text, error.into())
    })
}

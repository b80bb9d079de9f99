//! From rows to records.

use postgres::{Row, types::FromSql};

use crate::jobs::{Job, JobId, JobState};

/// Reads the columns of a job as it is shown.
pub(super) fn job(row: &Row) -> Result<Job, postgres::Error> {
    let result: Option<String> = row.try_get(11)?;
    Ok(Job {
        id: JobId(row.try_get(0)?),
        project: row.try_get(1)?,
        kind: row.try_get(2)?,
        state: row.try_get::<_, State>(3)?.0,
        attempts: count(row, 4)?,
        max_attempts: count(row, 5)?,
        run_at: row.try_get(6)?,
        worker: row.try_get(7)?,
        progress: row.try_get(8)?,
        message: row.try_get(9)?,
        error: row.try_get(10)?,
        result: result.and_then(|json| serde_json::from_str(&json).ok()),
        cancel: row.try_get(12)?,
        created_at: row.try_get(13)?,
        started_at: row.try_get(14)?,
        ended_at: row.try_get(15)?,
    })
}

/// Reads a number that is never negative.
pub(super) fn count(row: &Row, idx: usize) -> Result<u32, postgres::Error> {
    let number: i32 = row.try_get(idx)?;
    Ok(u32::try_from(number).unwrap_or(0))
}

/// A state as the database has it.
pub(super) struct State(pub(super) JobState);

impl<'a> FromSql<'a> for State {
    fn from_sql(
        kind: &postgres::types::Type,
        raw: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        let name = <&str>::from_sql(kind, raw)?;
        let state =
            JobState::parse(name).ok_or_else(|| format!("{name:?} is no state of a job"))?;
        Ok(Self(state))
    }

    fn accepts(kind: &postgres::types::Type) -> bool {
        <&str as FromSql<'_>>::accepts(kind)
    }
}

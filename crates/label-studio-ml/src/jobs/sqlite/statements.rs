//! The statements with their values, on a connection or within a transaction.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{
    rows::{job, state},
    sql,
};
use crate::jobs::{Backoff, Claim, Job, JobId, JobState, NewJob, Pushed, replaced_by};

/// A running job, as far as it matters for its being taken back.
pub(super) struct RunningJob {
    pub(super) id: JobId,
    pub(super) worker: String,
    pub(super) attempts: u32,
    pub(super) is_expired: bool,
}

pub(super) fn push(transaction: &Transaction<'_>, new: &NewJob) -> rusqlite::Result<Pushed> {
    let n_bytes = i64::try_from(new.payload.len()).unwrap_or(i64::MAX);
    if let Some(key) = &new.merge_key {
        let mut statement = transaction.prepare_cached(sql::FIND_EQUAL)?;
        let known = statement
            .query_row(params![new.project, key], |row| {
                Ok((JobId(row.get(0)?), row.get::<_, String>(1)?))
            })
            .optional()?;
        if let Some((id, payload)) = known {
            if payload != new.payload {
                let values = params![id.0, new.kind, new.payload, n_bytes];
                transaction.prepare_cached(sql::REPLACE)?.execute(values)?;
            }
            return Ok(Pushed {
                id,
                is_merged: true,
            });
        }
    }
    let values = params![
        new.project,
        new.kind,
        new.merge_key,
        n_bytes,
        new.max_attempts,
        new.payload
    ];
    let mut statement = transaction.prepare_cached(sql::INSERT)?;
    let id = statement.query_row(values, |row| row.get(0).map(JobId))?;
    Ok(Pushed {
        id,
        is_merged: false,
    })
}

pub(super) fn next(connection: &Connection) -> rusqlite::Result<Option<JobId>> {
    let mut statement = connection.prepare_cached(sql::NEXT)?;
    statement
        .query_row([], |row| row.get(0).map(JobId))
        .optional()
}

pub(super) fn one_id(
    connection: &Connection,
    query: &str,
    id: JobId,
) -> rusqlite::Result<Option<JobId>> {
    let mut statement = connection.prepare_cached(query)?;
    statement
        .query_row([id.0], |row| row.get(0).map(JobId))
        .optional()
}

pub(super) fn drop_for(
    connection: &Connection,
    id: JobId,
    newer: JobId,
) -> rusqlite::Result<usize> {
    let mut statement = connection.prepare_cached(sql::DROP)?;
    statement.execute(params![id.0, replaced_by(newer)])
}

pub(super) fn read_claim(connection: &Connection, id: JobId) -> rusqlite::Result<Claim> {
    let job = read_job(connection, id)?;
    let mut statement = connection.prepare_cached(sql::PAYLOAD)?;
    statement.query_row([id.0], |row| {
        Ok(Claim {
            job,
            payload: row.get(0)?,
            log: row.get(1)?,
        })
    })
}

pub(super) fn read_job(connection: &Connection, id: JobId) -> rusqlite::Result<Job> {
    let query = format!("SELECT {} FROM jobs WHERE id = ?1", sql::COLUMNS);
    connection.prepare_cached(&query)?.query_row([id.0], job)
}

pub(super) fn read_state(connection: &Connection, id: JobId) -> rusqlite::Result<Option<JobState>> {
    let mut statement = connection.prepare_cached(sql::STATE)?;
    statement.query_row([id.0], state).optional()
}

pub(super) fn running(connection: &Connection) -> rusqlite::Result<Vec<RunningJob>> {
    let mut statement = connection.prepare_cached(sql::RUNNING)?;
    let rows = statement.query_map([], |row| {
        Ok(RunningJob {
            id: JobId(row.get(0)?),
            worker: row.get(1)?,
            attempts: row.get(2)?,
            is_expired: row.get(3)?,
        })
    })?;
    rows.collect()
}

pub(super) fn take_back(
    connection: &Connection,
    job: &RunningJob,
    is_dead: bool,
    backoff: Backoff,
) -> rusqlite::Result<usize> {
    let what = if is_dead { "ended" } else { "hung" };
    let error = format!("the process {} {what} while it worked on this", job.worker);
    let after = backoff.after_cut(job.attempts).as_secs_f64();
    let values = params![job.id.0, job.worker, error, after, is_dead];
    connection.prepare_cached(sql::REAP)?.execute(values)
}

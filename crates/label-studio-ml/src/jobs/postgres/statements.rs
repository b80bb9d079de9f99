//! The statements with their values.

use std::time::Duration;

use postgres::{
    Error, GenericClient, Row,
    types::{ToSql, Type},
};

use super::{
    rows::{State, job},
    sql,
    workers::Orphan,
};
use crate::jobs::{
    Backlog, Backoff, Claim, Ending, Job, JobId, JobState, NewJob, Pushed, Report, replaced_by,
};

/// The statements on a connection, or within a transaction.
pub(super) struct Statements<'a, C>(pub(super) &'a mut C);

type Values<'a> = [(&'a (dyn ToSql + Sync), Type)];

impl<C: GenericClient> Statements<'_, C> {
    pub(super) fn notify(&mut self) -> Result<(), Error> {
        self.run(sql::NOTIFY, &[]).map(drop)
    }

    pub(super) fn push(&mut self, new: &NewJob) -> Result<Pushed, Error> {
        let n_bytes = i64::try_from(new.payload.len()).unwrap_or(i64::MAX);
        let max_attempts = i32::try_from(new.max_attempts).unwrap_or(i32::MAX);
        let rows = self.run(
            sql::PUSH,
            &[
                (&text(&new.project), Type::TEXT),
                (&text(&new.kind), Type::TEXT),
                (&new.merge_key.as_deref().map(text), Type::TEXT),
                (&n_bytes, Type::INT8),
                (&max_attempts, Type::INT4),
                (&text(&new.payload), Type::TEXT),
            ],
        )?;
        let row = &rows[0];
        Ok(Pushed {
            id: JobId(row.try_get(0)?),
            is_merged: row.try_get(1)?,
        })
    }

    /// Returns the jobs that may start now.
    pub(super) fn next(&mut self) -> Result<Vec<JobId>, Error> {
        let rows = self.run(sql::NEXT, &[])?;
        rows.iter().map(|row| row.try_get(0).map(JobId)).collect()
    }

    /// Keeps a job from other replicas. Returns `false` if one has it already.
    pub(super) fn lock(&mut self, id: JobId) -> Result<bool, Error> {
        Ok(self.one_id(sql::LOCK, id)?.is_some())
    }

    pub(super) fn one_id(&mut self, query: &str, id: JobId) -> Result<Option<JobId>, Error> {
        let rows = self.run(query, &[(&id.0, Type::INT8)])?;
        rows.first()
            .map(|row| row.try_get(0).map(JobId))
            .transpose()
    }

    pub(super) fn one_state(&mut self, query: &str, id: JobId) -> Result<Option<JobState>, Error> {
        one_state(&self.run(query, &[(&id.0, Type::INT8)])?)
    }

    pub(super) fn drop_for(&mut self, id: JobId, newer: JobId) -> Result<(), Error> {
        let values: &Values<'_> = &[(&id.0, Type::INT8), (&replaced_by(newer), Type::TEXT)];
        self.run(sql::DROP, values).map(drop)
    }

    pub(super) fn start(
        &mut self,
        id: JobId,
        worker: &str,
        lease: Duration,
        lock_number: i32,
    ) -> Result<(), Error> {
        let values: &Values<'_> = &[
            (&id.0, Type::INT8),
            (&worker, Type::TEXT),
            (&lease.as_secs_f64(), Type::FLOAT8),
            (&lock_number, Type::INT4),
        ];
        self.run(sql::START, values).map(drop)
    }

    pub(super) fn read_claim(&mut self, id: JobId) -> Result<Option<Claim>, Error> {
        let Some(job) = self.get(id)? else {
            return Ok(None);
        };
        let rows = self.run(sql::PAYLOAD, &[(&id.0, Type::INT8)])?;
        let claim = |row: &Row| {
            Ok(Claim {
                job,
                payload: row.try_get(0)?,
                log: row.try_get(1)?,
            })
        };
        rows.first().map(claim).transpose()
    }

    /// Returns whether the job should end; `None` when it is no longer this worker's.
    pub(super) fn beat(
        &mut self,
        id: JobId,
        worker: &str,
        lease: Duration,
        report: &Report,
    ) -> Result<Option<bool>, Error> {
        let rows = self.run(
            sql::BEAT,
            &[
                (&id.0, Type::INT8),
                (&worker, Type::TEXT),
                (&lease.as_secs_f64(), Type::FLOAT8),
                (&report.progress, Type::FLOAT8),
                (&report.message.as_deref().map(text), Type::TEXT),
                (&report.log.as_deref().map(text), Type::TEXT),
            ],
        )?;
        rows.first().map(|row| row.try_get(0)).transpose()
    }

    pub(super) fn end(
        &mut self,
        id: JobId,
        worker: &str,
        ending: &Ending,
    ) -> Result<Option<JobState>, Error> {
        let mut run = |statement, third: Option<&str>, after: Option<Duration>| {
            let third = third.map(text);
            let after = after.map(|after| after.as_secs_f64());
            let mut values: Vec<(&(dyn ToSql + Sync), Type)> = vec![
                (&id.0, Type::INT8),
                (&worker, Type::TEXT),
                (&third, Type::TEXT),
            ];
            if after.is_some() {
                values.push((&after, Type::FLOAT8));
            }
            one_state(&self.run(statement, &values)?)
        };
        match ending {
            Ending::Done(value) => run(sql::DONE, Some(&value.to_string()), None),
            Ending::Failed(error) => run(sql::FAILED, Some(error), None),
            Ending::Cancelled => run(sql::CANCELLED, None, None),
            Ending::Retry { error, after } => run(sql::RETRY, Some(error), Some(*after)),
            Ending::GivenBack { reason, after } => {
                // An equal job waits: it does the work of both.
                if let Some(newer) = self.one_id(sql::FIND_NEWER, id)? {
                    let reason = replaced_by(newer);
                    let values: &Values<'_> = &[
                        (&id.0, Type::INT8),
                        (&worker, Type::TEXT),
                        (&reason, Type::TEXT),
                    ];
                    return one_state(&self.run(sql::CANCELLED, values)?);
                }
                let values: &Values<'_> = &[
                    (&id.0, Type::INT8),
                    (&worker, Type::TEXT),
                    (&text(reason), Type::TEXT),
                    (&after.as_secs_f64(), Type::FLOAT8),
                ];
                one_state(&self.run(sql::GIVE_BACK, values)?)
            }
        }
    }

    pub(super) fn take_back(&mut self, job: &Orphan, backoff: Backoff) -> Result<usize, Error> {
        let what = if job.is_dead { "ended" } else { "hung" };
        let error = format!("the process {} {what} while it worked on this", job.worker);
        let after = backoff.after_cut(job.attempts).as_secs_f64();
        let statement = format!("{} RETURNING id", sql::REAP);
        let rows = self.run(
            &statement,
            &[
                (&job.id.0, Type::INT8),
                (&job.worker, Type::TEXT),
                (&error, Type::TEXT),
                (&after, Type::FLOAT8),
                (&job.is_dead, Type::BOOL),
            ],
        )?;
        Ok(rows.len())
    }

    pub(super) fn again(&mut self, id: JobId) -> Result<(), Error> {
        self.run(sql::AGAIN, &[(&id.0, Type::INT8)]).map(drop)
    }

    pub(super) fn list(
        &mut self,
        project: Option<&str>,
        state: Option<&str>,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Job>, Error> {
        let rows = self.run(
            &sql::list(),
            &[
                (&project, Type::TEXT),
                (&state, Type::TEXT),
                (&before, Type::INT8),
                (&limit, Type::INT8),
            ],
        )?;
        rows.iter().map(job).collect()
    }

    pub(super) fn get(&mut self, id: JobId) -> Result<Option<Job>, Error> {
        let rows = self.run(&sql::get(), &[(&id.0, Type::INT8)])?;
        rows.first().map(job).transpose()
    }

    pub(super) fn log(&mut self, id: JobId) -> Result<Option<String>, Error> {
        let rows = self.run(sql::LOG, &[(&id.0, Type::INT8)])?;
        rows.first().map(|row| row.try_get(0)).transpose()
    }

    pub(super) fn backlog(&mut self) -> Result<Backlog, Error> {
        let rows = self.run(sql::BACKLOG, &[])?;
        let count = |idx| -> Result<u64, Error> {
            let number: i64 = rows[0].try_get(idx)?;
            Ok(u64::try_from(number).unwrap_or(0))
        };
        Ok(Backlog {
            n_jobs: count(0)?,
            n_bytes: count(1)?,
        })
    }

    pub(super) fn prune(&mut self, n_kept: i64) -> Result<usize, Error> {
        let statement = format!("{} RETURNING id", sql::PRUNE);
        Ok(self.run(&statement, &[(&n_kept, Type::INT8)])?.len())
    }

    fn run(&mut self, statement: &str, values: &Values<'_>) -> Result<Vec<Row>, Error> {
        self.0.query_typed(statement, values)
    }
}

/// Returns a text that PostgreSQL takes: it knows no character 0.
pub(super) fn text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn one_state(rows: &[Row]) -> Result<Option<JobState>, Error> {
    let state = rows.first().map(|row| row.try_get::<_, State>(0));
    Ok(state.transpose()?.map(|state| state.0))
}

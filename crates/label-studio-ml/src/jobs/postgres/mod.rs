//! Jobs in PostgreSQL, which replicas share.

mod rows;
mod sql;
mod statements;
mod workers;

use std::{sync::Arc, time::Duration};

use postgres::{Client, Transaction};

use self::{
    statements::{Statements, text},
    workers::Workers,
};
use super::{
    Backlog, Backoff, Beat, Claim, Ending, Job, JobFilter, JobId, JobState, Jobs, JobsError,
    NewJob, Pushed, Report,
};
use crate::{
    jobs::worker_name::worker_name,
    postgres::{Database, News},
};

/// Jobs in PostgreSQL, which the replicas of a backend share.
///
/// Leases run by the clock of the database. A replica that stored, ended or cancelled a job tells
/// the others, so that nothing waits for the next look. A process that is killed loses the lock of
/// its session: what it worked on is taken back some seconds later, long before its lease ends.
#[derive(Debug)]
pub struct PostgresJobs {
    database: Arc<Database>,
    worker: String,
    workers: Workers,
}

impl PostgresJobs {
    /// Creates a queue in a database.
    pub fn new(database: &Arc<Database>) -> Self {
        Self {
            database: Arc::clone(database),
            worker: worker_name(),
            workers: Workers::default(),
        }
    }

    /// Runs one statement.
    fn once<T: Send + 'static>(
        &self,
        mut run: impl FnMut(&mut Statements<'_, Client>) -> Result<T, postgres::Error> + Send + 'static,
    ) -> Result<T, JobsError> {
        Ok(self
            .database
            .run(move |client| run(&mut Statements(client)))?)
    }

    /// Runs statements that must be one.
    fn change<T: Send + 'static>(
        &self,
        mut run: impl FnMut(&mut Statements<'_, Transaction<'_>>) -> Result<T, postgres::Error>
        + Send
        + 'static,
    ) -> Result<T, JobsError> {
        let result = self.database.run(move |client| {
            let mut transaction = client.transaction()?;
            let result = run(&mut Statements(&mut transaction))?;
            transaction.commit()?;
            Ok(result)
        });
        Ok(result?)
    }
}

impl Jobs for PostgresJobs {
    fn push(&self, jobs: &[NewJob]) -> Result<Vec<Pushed>, JobsError> {
        let jobs = jobs.to_vec();
        self.change(move |statements| {
            let pushed = jobs.iter().map(|job| statements.push(job)).collect();
            statements.notify()?;
            pushed
        })
    }

    fn claim(&self, lease: Duration) -> Result<Option<Claim>, JobsError> {
        if self
            .database
            .run(|client| Statements(client).next())?
            .is_empty()
        {
            return Ok(None);
        }
        let (worker, lock_number) = (self.worker.clone(), self.database.lock_number());
        self.change(move |statements| {
            // Dropping one job for a newer one makes another one the first of its project.
            loop {
                let mut has_dropped = false;
                for id in statements.next()? {
                    if !statements.lock(id)? {
                        continue;
                    }
                    if let Some(newer) = statements.one_id(sql::FIND_NEWER, id)? {
                        statements.drop_for(id, newer)?;
                        has_dropped = true;
                        continue;
                    }
                    statements.start(id, &worker, lease, lock_number)?;
                    return statements.read_claim(id);
                }
                if !has_dropped {
                    return Ok(None);
                }
            }
        })
    }

    fn beat(&self, id: JobId, lease: Duration, report: &Report) -> Result<Beat, JobsError> {
        let (worker, report) = (self.worker.clone(), report.clone());
        let cancel = self.once(move |statements| statements.beat(id, &worker, lease, &report))?;
        Ok(cancel.map_or(Beat::Lost, |cancel| Beat::Held { cancel }))
    }

    fn end(&self, id: JobId, ending: &Ending) -> Result<Option<JobState>, JobsError> {
        let (worker, ending) = (self.worker.clone(), ending.clone());
        self.change(move |statements| {
            let state = statements.end(id, &worker, &ending)?;
            statements.notify()?;
            Ok(state)
        })
    }

    fn reap(&self, backoff: Backoff) -> Result<usize, JobsError> {
        let (running, alive) = self.database.run(workers::running)?;
        let orphans = self
            .workers
            .orphans(running, &alive, self.database.lock_number());
        if orphans.is_empty() {
            return Ok(0);
        }
        self.change(move |statements| {
            let mut n_taken = 0;
            for orphan in &orphans {
                n_taken += statements.take_back(orphan, backoff)?;
            }
            Ok(n_taken)
        })
    }

    fn cancel(&self, id: JobId) -> Result<Option<JobState>, JobsError> {
        self.change(move |statements| {
            let state = match statements.one_state(sql::CANCEL, id)? {
                Some(state) => Some(state),
                None => statements.one_state(sql::STATE, id)?,
            };
            statements.notify()?;
            Ok(state)
        })
    }

    fn retry(&self, id: JobId) -> Result<Option<JobId>, JobsError> {
        self.change(move |statements| {
            let Some(state) = statements.one_state(sql::STATE, id)? else {
                return Ok(None);
            };
            if !state.has_ended() {
                return Ok(Some(id));
            }
            if let Some(other) = statements.one_id(sql::FIND_OTHER, id)? {
                return Ok(Some(other));
            }
            statements.again(id)?;
            statements.notify()?;
            Ok(Some(id))
        })
    }

    fn list(&self, filter: &JobFilter) -> Result<Vec<Job>, JobsError> {
        let project = filter.project.as_deref().map(text);
        let state = filter.state.map(|state| state.as_str().to_owned());
        let before = filter.before.map(|id| id.0);
        let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
        self.once(move |statements| {
            statements.list(project.as_deref(), state.as_deref(), before, limit)
        })
    }

    fn get(&self, id: JobId) -> Result<Option<Job>, JobsError> {
        self.once(move |statements| statements.get(id))
    }

    fn log(&self, id: JobId) -> Result<Option<String>, JobsError> {
        self.once(move |statements| statements.log(id))
    }

    fn backlog(&self) -> Result<Backlog, JobsError> {
        Ok(self.database.run(|client| Statements(client).backlog())?)
    }

    fn prune(&self, n_kept: usize) -> Result<usize, JobsError> {
        let n_kept = i64::try_from(n_kept).unwrap_or(i64::MAX);
        self.once(move |statements| statements.prune(n_kept))
    }

    fn on_change(&self, wake: Box<dyn Fn() + Send + Sync>) {
        self.database.subscribe(Box::new(move |news| {
            if matches!(news, News::Jobs | News::Listening) {
                wake();
            }
        }));
    }

    fn is_durable(&self) -> bool {
        true
    }
}

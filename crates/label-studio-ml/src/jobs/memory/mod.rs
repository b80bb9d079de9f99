//! Jobs that end with the process.

mod state;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use self::state::{State, now};
use super::{
    Backlog, Backoff, Beat, Claim, Ending, Job, JobFilter, JobId, JobState, Jobs, JobsError,
    NewJob, Pushed, Report, replaced_by,
};

/// Jobs that end with the process: for tests, and for backends that remember nothing.
///
/// A clone is another worker on the same jobs.
#[derive(Debug)]
pub struct MemoryJobs {
    worker: String,
    state: Arc<Mutex<State>>,
}

impl Default for MemoryJobs {
    fn default() -> Self {
        Self {
            worker: new_worker(),
            state: Arc::default(),
        }
    }
}

impl Clone for MemoryJobs {
    fn clone(&self) -> Self {
        Self {
            worker: new_worker(),
            state: Arc::clone(&self.state),
        }
    }
}

impl MemoryJobs {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Jobs for MemoryJobs {
    fn push(&self, jobs: &[NewJob]) -> Result<Vec<Pushed>, JobsError> {
        let mut state = self.state();
        Ok(jobs.iter().map(|job| state.push(job)).collect())
    }

    fn claim(&self, lease: Duration) -> Result<Option<Claim>, JobsError> {
        let mut state = self.state();
        while let Some(id) = state.next() {
            if let Some(newer) = state.equal(id).filter(|newer| *newer > id) {
                state.change(id, JobState::Cancelled, |job| {
                    job.error = Some(replaced_by(newer));
                });
                continue;
            }
            let now = now();
            state.change(id, JobState::Running, |job| {
                job.worker = Some(self.worker.clone());
                job.attempts += 1;
                job.progress = None;
                job.message = None;
                job.started_at = Some(now);
            });
            let record = state.records.get_mut(&id).expect("it was found just now");
            record.lease_until = now + lease.as_secs_f64();
            return Ok(Some(Claim {
                job: record.job.clone(),
                payload: record.payload.clone(),
                log: record.log.clone(),
            }));
        }
        Ok(None)
    }

    fn beat(&self, id: JobId, lease: Duration, report: &Report) -> Result<Beat, JobsError> {
        let mut state = self.state();
        let Some(record) = state.held(id, &self.worker) else {
            return Ok(Beat::Lost);
        };
        record.lease_until = now() + lease.as_secs_f64();
        if let Some(progress) = report.progress {
            record.job.progress = Some(progress);
        }
        if let Some(message) = &report.message {
            record.job.message = Some(message.clone());
        }
        if let Some(log) = &report.log {
            record.log.clone_from(log);
        }
        Ok(Beat::Held {
            cancel: record.job.cancel,
        })
    }

    fn end(&self, id: JobId, ending: &Ending) -> Result<Option<JobState>, JobsError> {
        let mut state = self.state();
        let Some(record) = state.held(id, &self.worker) else {
            return Ok(None);
        };
        let (cancel, attempts) = (record.job.cancel, record.job.attempts);
        let can_retry = attempts < record.job.max_attempts;
        let end = match ending {
            Ending::Done(value) => state.change(id, JobState::Done, |job| {
                job.result = Some(value.clone());
                job.progress = Some(1.0);
                job.error = None;
            }),
            Ending::Failed(error) => state.change(id, JobState::Failed, |job| {
                job.error = Some(error.clone());
            }),
            Ending::Cancelled => state.change(id, JobState::Cancelled, |job| job.cancel = true),
            Ending::Retry { error, after } => {
                state.try_again(id, can_retry, (error.clone(), *after))
            }
            Ending::GivenBack { reason, after } => {
                if let Some(newer) = state.equal(id) {
                    state.change(id, JobState::Cancelled, |job| {
                        job.error = Some(replaced_by(newer));
                    })
                } else {
                    let pending = if cancel {
                        JobState::Cancelled
                    } else {
                        JobState::Pending
                    };
                    state.change(id, pending, |job| {
                        job.attempts -= 1;
                        job.error = Some(reason.clone());
                        job.run_at = now() + after.as_secs_f64();
                    })
                }
            }
        };
        Ok(Some(end))
    }

    fn reap(&self, backoff: Backoff) -> Result<usize, JobsError> {
        let mut state = self.state();
        let now = now();
        let is_expired = |id: &JobId| state.records[id].lease_until < now;
        let expired: Vec<_> = state.running.values().copied().filter(is_expired).collect();
        for id in &expired {
            let job = &state.records[id].job;
            let worker = job.worker.as_deref().unwrap_or_default();
            let error = format!("the process {worker} hung while it worked on this");
            let can_retry = job.attempts < job.max_attempts;
            let after = backoff.after_cut(job.attempts);
            state.try_again(*id, can_retry, (error, after));
        }
        Ok(expired.len())
    }

    fn cancel(&self, id: JobId) -> Result<Option<JobState>, JobsError> {
        let mut state = self.state();
        let Some(record) = state.records.get_mut(&id) else {
            return Ok(None);
        };
        Ok(Some(match record.job.state {
            JobState::Pending => state.change(id, JobState::Cancelled, |job| job.cancel = true),
            JobState::Running => {
                record.job.cancel = true;
                JobState::Running
            }
            ended => ended,
        }))
    }

    fn retry(&self, id: JobId) -> Result<Option<JobId>, JobsError> {
        let mut state = self.state();
        let Some(record) = state.records.get(&id) else {
            return Ok(None);
        };
        if !record.job.state.has_ended() {
            return Ok(Some(id));
        }
        if let Some(other) = state.equal(id) {
            return Ok(Some(other));
        }
        state.change(id, JobState::Pending, |job| {
            job.attempts = 0;
            job.cancel = false;
            job.run_at = now();
            job.error = None;
            job.result = None;
            job.progress = None;
            job.message = None;
        });
        Ok(Some(id))
    }

    fn list(&self, filter: &JobFilter) -> Result<Vec<Job>, JobsError> {
        let state = self.state();
        let first = filter.before.unwrap_or(JobId(i64::MAX));
        let jobs = state
            .records
            .range(..first)
            .rev()
            .map(|(_, record)| &record.job);
        let wanted = jobs.filter(|job| {
            filter.project.as_ref().is_none_or(|id| *id == job.project)
                && filter.state.is_none_or(|state| state == job.state)
        });
        Ok(wanted.take(filter.limit).cloned().collect())
    }

    fn get(&self, id: JobId) -> Result<Option<Job>, JobsError> {
        let state = self.state();
        Ok(state.records.get(&id).map(|record| record.job.clone()))
    }

    fn log(&self, id: JobId) -> Result<Option<String>, JobsError> {
        let state = self.state();
        Ok(state.records.get(&id).map(|record| record.log.clone()))
    }

    fn backlog(&self) -> Result<Backlog, JobsError> {
        let state = self.state();
        let n_jobs: usize = state.pending.values().map(BTreeSet::len).sum();
        Ok(Backlog {
            n_jobs: n_jobs as u64,
            n_bytes: state.n_pending_bytes as u64,
        })
    }

    fn prune(&self, n_kept: usize) -> Result<usize, JobsError> {
        let mut state = self.state();
        let ended = state
            .records
            .iter()
            .filter_map(|(id, record)| Some((record.job.ended_at?, *id)));
        let mut ended: Vec<_> = ended.collect();
        ended.sort_by(|(left, left_id), (right, right_id)| {
            right.total_cmp(left).then(right_id.cmp(left_id))
        });
        let oldest = ended.get(n_kept..).unwrap_or_default();
        for (_, id) in oldest {
            state.records.remove(id);
        }
        Ok(oldest.len())
    }

    fn is_durable(&self) -> bool {
        false
    }
}

fn new_worker() -> String {
    let unique = uuid::Uuid::new_v4().simple().to_string();
    format!("{}:{}", std::process::id(), &unique[..8])
}

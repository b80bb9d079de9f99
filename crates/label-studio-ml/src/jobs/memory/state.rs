//! The jobs in memory, and where each is looked for.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::jobs::{Job, JobId, JobState, NewJob, Pushed};

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) records: BTreeMap<JobId, Record>,
    /// Pending jobs by project.
    pub(super) pending: BTreeMap<String, BTreeSet<JobId>>,
    /// Running job by project.
    pub(super) running: HashMap<String, JobId>,
    /// Pending jobs that were never started, by project and merge key.
    pub(super) waiting: HashMap<(String, String), JobId>,
    pub(super) n_stored: i64,
    pub(super) n_pending_bytes: usize,
}

#[derive(Debug)]
pub(super) struct Record {
    pub(super) job: Job,
    pub(super) payload: String,
    pub(super) merge_key: Option<String>,
    pub(super) log: String,
    pub(super) lease_until: f64,
}

impl State {
    pub(super) fn push(&mut self, new: &NewJob) -> Pushed {
        let key = new.merge_key.clone();
        let key = key.map(|key| (new.project.clone(), key));
        if let Some(id) = key.and_then(|key| self.waiting.get(&key).copied()) {
            let record = self.records.get_mut(&id).expect("a waiting job is stored");
            self.n_pending_bytes = self.n_pending_bytes - record.payload.len() + new.payload.len();
            record.job.kind.clone_from(&new.kind);
            record.payload.clone_from(&new.payload);
            return Pushed {
                id,
                is_merged: true,
            };
        }
        self.n_stored += 1;
        let (id, now) = (JobId(self.n_stored), now());
        let job = Job {
            id,
            project: new.project.clone(),
            kind: new.kind.clone(),
            state: JobState::Pending,
            attempts: 0,
            max_attempts: new.max_attempts,
            run_at: now,
            worker: None,
            progress: None,
            message: None,
            error: None,
            result: None,
            cancel: false,
            created_at: now,
            started_at: None,
            ended_at: None,
        };
        let record = Record {
            job,
            payload: new.payload.clone(),
            merge_key: new.merge_key.clone(),
            log: String::new(),
            lease_until: 0.0,
        };
        self.records.insert(id, record);
        self.index(id);
        Pushed {
            id,
            is_merged: false,
        }
    }

    /// Returns the first pending job that may start now.
    pub(super) fn next(&self) -> Option<JobId> {
        let now = now();
        let firsts = self.pending.iter().filter_map(|(project, ids)| {
            let id = *ids.first()?;
            let may_start =
                !self.running.contains_key(project) && self.records[&id].job.run_at <= now;
            may_start.then_some(id)
        });
        firsts.min()
    }

    /// Returns the pending job that does the same work as this one.
    pub(super) fn equal(&self, id: JobId) -> Option<JobId> {
        let record = &self.records[&id];
        let key = (record.job.project.clone(), record.merge_key.clone()?);
        self.waiting.get(&key).copied().filter(|other| *other != id)
    }

    pub(super) fn held(&mut self, id: JobId, worker: &str) -> Option<&mut Record> {
        let record = self.records.get_mut(&id)?;
        let is_held =
            record.job.state == JobState::Running && record.job.worker.as_deref() == Some(worker);
        is_held.then_some(record)
    }

    pub(super) fn try_again(
        &mut self,
        id: JobId,
        can_retry: bool,
        (error, after): (String, Duration),
    ) -> JobState {
        let next = match (self.records[&id].job.cancel, can_retry) {
            (true, _) => JobState::Cancelled,
            (false, true) => JobState::Pending,
            (false, false) => JobState::Failed,
        };
        self.change(id, next, |job| {
            job.error = Some(error);
            job.run_at = now() + after.as_secs_f64();
        })
    }

    /// Moves a job to another state.
    pub(super) fn change(
        &mut self,
        id: JobId,
        state: JobState,
        change: impl FnOnce(&mut Job),
    ) -> JobState {
        self.unindex(id);
        let record = self.records.get_mut(&id).expect("the caller found it");
        record.job.state = state;
        record.job.ended_at = state.has_ended().then(now);
        change(&mut record.job);
        self.index(id);
        state
    }

    pub(super) fn index(&mut self, id: JobId) {
        let record = &self.records[&id];
        let project = record.job.project.clone();
        match record.job.state {
            JobState::Pending => {
                self.n_pending_bytes += record.payload.len();
                if let Some(key) = record.merge_key.clone()
                    && record.job.attempts == 0
                {
                    self.waiting.insert((project.clone(), key), id);
                }
                self.pending.entry(project).or_default().insert(id);
            }
            JobState::Running => {
                self.running.insert(project, id);
            }
            JobState::Done | JobState::Failed | JobState::Cancelled => {}
        }
    }

    pub(super) fn unindex(&mut self, id: JobId) {
        let record = &self.records[&id];
        let project = record.job.project.clone();
        match record.job.state {
            JobState::Pending => {
                self.n_pending_bytes -= record.payload.len();
                if let Some(ids) = self.pending.get_mut(&project) {
                    ids.remove(&id);
                    if ids.is_empty() {
                        self.pending.remove(&project);
                    }
                }
                if let Some(key) = record.merge_key.clone() {
                    let key = (project, key);
                    if self.waiting.get(&key) == Some(&id) {
                        self.waiting.remove(&key);
                    }
                }
            }
            JobState::Running => {
                self.running.remove(&project);
            }
            JobState::Done | JobState::Failed | JobState::Cancelled => {}
        }
    }
}

/// Seconds since 1970.
pub(super) fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

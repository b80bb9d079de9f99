//! Storing of predictions in Label Studio: each once, whatever happens in between.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError},
    thread,
    time::Duration,
};

use label_studio_sdk::{ClientError, Task, client::TaskQuery};

use super::{
    journal::Pending,
    run::{Run, State},
};
use crate::project::{Outcome, check_fits, explained, is_temporary, stored_predictions, tasks_of};

/// Waiting for a request of a killed run that Label Studio may still be working on.
const SETTLE_STEPS: u32 = 10;
const SETTLE_STEP: Duration = Duration::from_millis(200);
/// Chunks that may wait before predicting pauses.
const MAX_CHUNKS: usize = 4;
/// Times that Label Studio may answer 500 to the same predictions before they are sent in parts.
const MAX_FAULTS: u32 = 3;
/// Tasks of one request that only asks whether they exist.
const IDS_PAGE: usize = 200;

impl Run<'_> {
    /// Stores predictions while there are enough for a request, or all of them.
    pub(super) fn store(&self, all: bool) -> anyhow::Result<()> {
        while let Some(chunk) = self.take_chunk(all) {
            let result = self.store_chunk(chunk);
            let mut state = self.state();
            if result.is_err() {
                // What was not stored is in the journal only: nothing may write it anew.
                self.stop();
            }
            state.is_storing = false;
            self.changed.notify_all();
            result?;
            let State {
                journal,
                head,
                pending,
                ..
            } = &mut *state;
            journal.rewrite(head, &*pending)?;
        }
        Ok(())
    }

    /// Stores what an earlier run has left. Label Studio may have some of it.
    pub(super) fn store_left(&self, left: Vec<Pending>, doubtful: &[i64]) -> anyhow::Result<()> {
        let doubtful: BTreeSet<i64> = doubtful.iter().copied().collect();
        let sent: Vec<_> = left
            .iter()
            .filter(|pending| doubtful.contains(&pending.task))
            .cloned()
            .collect();
        self.note_doubtful(&sent);
        for _ in 0..SETTLE_STEPS {
            if sent.is_empty() || self.without_stored(sent.clone())?.is_empty() {
                break;
            }
            thread::sleep(SETTLE_STEP);
        }
        let mut left = left.into_iter();
        loop {
            let chunk: Vec<_> = left.by_ref().take(self.settings.store_size).collect();
            if chunk.is_empty() {
                return Ok(());
            }
            let chunk = self.without_stored(chunk)?;
            self.store_chunk(chunk)?;
        }
    }

    /// Deletes what was stored twice because an answer of Label Studio was lost.
    pub(super) fn remove_doubles(&self) -> anyhow::Result<()> {
        let (doubtful, target) = {
            let state = self.state();
            (state.doubtful.clone(), Arc::clone(&state.target))
        };
        let ids: Vec<_> = doubtful.keys().copied().collect();
        for task in self.tasks_of(&ids)? {
            let mut stored = stored_predictions(&task);
            stored.retain(|prediction| prediction.is_of(&target.model_version));
            stored.sort_by_key(|prediction| prediction.id);
            let n_expected = task.id.and_then(|id| doubtful.get(&id)).copied();
            for double in stored.iter().skip(n_expected.unwrap_or(stored.len())) {
                self.delete(double.id)?;
            }
        }
        Ok(())
    }

    /// Takes predictions for one request, if there are enough and no other thread stores. Waits when too many wait.
    fn take_chunk(&self, all: bool) -> Option<Vec<Pending>> {
        let size = self.settings.store_size;
        let mut state = self.state();
        loop {
            let n_pending = state.pending.len();
            if self.has_stopped() || n_pending == 0 || n_pending < size && !all {
                return None;
            }
            if !state.is_storing {
                break;
            }
            if n_pending < size * MAX_CHUNKS {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.is_storing = true;
        let n_first = state.pending.len().min(size);
        Some(state.pending.drain(..n_first).collect())
    }

    /// Stores predictions after a look at the label config, which may have changed since they were made.
    fn store_chunk(&self, chunk: Vec<Pending>) -> anyhow::Result<()> {
        if chunk.is_empty() {
            return Ok(());
        }
        self.refresh_target()?;
        let chunk = self.checked(chunk)?;
        self.send(chunk)
    }

    /// Sets the backend up again if the project has another label config than before; returns whether it has.
    fn refresh_target(&self) -> anyhow::Result<bool> {
        let parties = self.parties;
        let project = parties
            .patience
            .ask(|| parties.client.project(self.project))?;
        if self.state().target.label_config.text() == project.label_config {
            return Ok(false);
        }
        parties.progress.note(
            "the label config of the project has changed: setting the backend up for the new one",
        );
        let target = parties.model.set_up(&project, parties.client.url())?;
        let mut state = self.state();
        state.target = Arc::new(target);
        state.generation += 1;
        Ok(true)
    }

    /// Predicts again what does not fit the present label config.
    fn checked(&self, chunk: Vec<Pending>) -> anyhow::Result<Vec<Pending>> {
        let (target, generation) = {
            let state = self.state();
            (Arc::clone(&state.target), state.generation)
        };
        let (mut chunk, old): (Vec<_>, Vec<_>) = chunk
            .into_iter()
            .partition(|pending| pending.generation == generation);
        if old.is_empty() {
            return Ok(chunk);
        }
        let mut tasks = self.by_id(&old)?;
        let mut again = Vec::new();
        for mut pending in old {
            let Some(task) = tasks.remove(&pending.task) else {
                self.note_deleted(pending.task);
                continue;
            };
            let fits = |prediction| {
                let prediction = serde_json::to_value(prediction).unwrap_or_default();
                check_fits(&task, &prediction, &target.label_config).is_ok()
            };
            pending.generation = generation;
            if pending.predictions.iter().all(fits) {
                chunk.push(pending);
            } else {
                again.push((task, pending));
            }
        }
        for batch in again.chunks_mut(self.settings.batch_size) {
            let tasks: Vec<_> = batch.iter().map(|(task, _)| task.clone()).collect();
            let outcomes = self.parties.model.predict(&tasks, &target)?;
            for ((_, pending), outcome) in batch.iter_mut().zip(outcomes) {
                match outcome {
                    Outcome::Predicted(predictions) => {
                        pending.predictions = predictions;
                        chunk.push(pending.clone());
                    }
                    Outcome::Nothing => {
                        self.refuse(pending.task, "no prediction for the new label config")?;
                    }
                    Outcome::Failed(failure) => self.refuse(pending.task, &failure.reason)?,
                }
            }
        }
        Ok(chunk)
    }

    /// Sends predictions until each is stored or refused.
    fn send(&self, mut chunk: Vec<Pending>) -> anyhow::Result<()> {
        let mut wait = self.parties.patience.start();
        let mut n_faults = 0;
        while !chunk.is_empty() {
            let ids: Vec<_> = chunk.iter().map(|pending| pending.task).collect();
            self.state().journal.sending(&ids)?;
            let made = chunk.iter().flat_map(|pending| {
                let predictions = pending.predictions.iter();
                predictions.map(move |prediction| (pending.task, prediction))
            });
            let n_made = made.clone().count();
            match self.parties.client.create_predictions(self.project, made) {
                Ok(n_stored) if n_stored == n_made => return self.delete_replaced(&chunk),
                Ok(_) => {
                    for pending in self.without_stored(chunk)? {
                        let reason =
                            "Label Studio did not store the prediction; its log has the reason";
                        self.refuse(pending.task, reason)?;
                    }
                    return Ok(());
                }
                // A database that is busy, or a prediction that Label Studio cannot read.
                Err(error) if error.status() == Some(500) && n_faults == MAX_FAULTS => {
                    chunk = self.without_stored(chunk)?;
                    return self.divide(chunk, &error);
                }
                Err(error) if is_temporary(&error) => {
                    n_faults += u32::from(error.status() == Some(500));
                    // The predictions may be stored, although there was no answer.
                    self.note_doubtful(&chunk);
                    wait.pause("Label Studio does not answer", error.into(), None)?;
                    chunk = self.without_stored(chunk)?;
                }
                Err(error) if matches!(error.status(), Some(400 | 413 | 422)) => {
                    return self.divide(chunk, &error);
                }
                Err(error) => return Err(explained(error)),
            }
        }
        Ok(())
    }

    /// Finds the predictions for which Label Studio has refused a whole request.
    fn divide(&self, chunk: Vec<Pending>, error: &ClientError) -> anyhow::Result<()> {
        let existing = self.existing(&chunk)?;
        let (mut left, deleted): (Vec<_>, Vec<_>) = chunk
            .into_iter()
            .partition(|pending| existing.contains(&pending.task));
        for pending in &deleted {
            self.note_deleted(pending.task);
        }
        if !deleted.is_empty() {
            return self.send(left);
        }
        if self.refresh_target()? {
            let left = self.checked(left)?;
            return self.send(left);
        }
        if left.is_empty() {
            return Ok(());
        }
        if let [pending] = left.as_slice() {
            return self.refuse(pending.task, &format!("Label Studio refuses it: {error}"));
        }
        let second = left.split_off(left.len() / 2);
        self.send(left)?;
        self.send(second)
    }

    /// Keeps the predictions that Label Studio does not have, and ends the replacing of the others.
    fn without_stored(&self, chunk: Vec<Pending>) -> anyhow::Result<Vec<Pending>> {
        let tasks = self.by_id(&chunk)?;
        let (mut missing, mut stored) = (Vec::new(), Vec::new());
        for pending in chunk {
            let Some(task) = tasks.get(&pending.task) else {
                // The request for it would be refused, and says so then.
                missing.push(pending);
                continue;
            };
            let mut same = pending.same_version(task);
            same.retain(|id| !pending.replaced.contains(id));
            if same.is_empty() {
                missing.push(pending);
            } else {
                stored.push(pending);
            }
        }
        self.delete_replaced(&stored)?;
        Ok(missing)
    }

    fn delete_replaced(&self, stored: &[Pending]) -> anyhow::Result<()> {
        for id in stored.iter().flat_map(|pending| &pending.replaced) {
            self.delete(*id)?;
        }
        Ok(())
    }

    fn delete(&self, id: i64) -> anyhow::Result<()> {
        let parties = self.parties;
        parties.patience.ask(|| {
            match parties.client.delete_prediction(id) {
                // It is gone.
                Err(error) if error.status() == Some(404) => Ok(()),
                result => result,
            }
        })
    }

    fn refuse(&self, task: i64, reason: &str) -> anyhow::Result<()> {
        let mut state = self.state();
        state.head.counts.refused += 1;
        state.report.add(task, reason)
    }

    fn note_deleted(&self, task: i64) {
        self.state().head.counts.deleted += 1;
        self.parties
            .progress
            .note(&format!("task {task} was deleted meanwhile"));
    }

    fn note_doubtful(&self, sent: &[Pending]) {
        let counts = sent
            .iter()
            .map(|pending| (pending.task, pending.predictions.len()));
        self.state().doubtful.extend(counts);
    }

    fn by_id(&self, chunk: &[Pending]) -> anyhow::Result<BTreeMap<i64, Task>> {
        let ids: Vec<_> = chunk.iter().map(|pending| pending.task).collect();
        let tasks = self.tasks_of(&ids)?.into_iter();
        Ok(tasks.filter_map(|task| Some((task.id?, task))).collect())
    }

    fn tasks_of(&self, ids: &[i64]) -> anyhow::Result<Vec<Task>> {
        let parties = self.parties;
        tasks_of(parties.client, self.project, ids, parties.patience)
    }

    fn existing(&self, chunk: &[Pending]) -> anyhow::Result<BTreeSet<i64>> {
        let parties = self.parties;
        let ids: Vec<_> = chunk.iter().map(|pending| pending.task).collect();
        let mut existing = BTreeSet::new();
        for ids in ids.chunks(IDS_PAGE) {
            let query = TaskQuery {
                has_results: false,
                ..TaskQuery::of_ids(self.project, ids)
            };
            let page = parties.patience.ask(|| parties.client.task_page(&query))?;
            existing.extend(page.tasks.iter().filter_map(|task| task.id));
        }
        Ok(existing)
    }
}

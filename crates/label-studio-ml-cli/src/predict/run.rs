//! Predicts the tasks of a project in batches, several at once, and has the predictions stored.

use std::{
    collections::{BTreeMap, VecDeque},
    panic,
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use label_studio_sdk::{
    Client, Task,
    client::{ProjectInfo, TaskQuery},
};

use super::{
    journal::{Batch, Counts, Head, Journal, Left, Pending},
    report::Report,
};
use crate::project::{
    Model, Outcome, Patience, Progress, Selection, Target, TaskSource, stored_predictions,
};

/// Tasks with a prediction that are passed over at once.
const MAX_PASSED_OVER: usize = 500;

/// How a project is predicted.
#[derive(Debug, Clone)]
pub(super) struct RunSettings {
    pub(super) selection: Selection,
    /// Tasks of a request to the backend.
    pub(super) batch_size: usize,
    /// Requests to the backend at the same time.
    pub(super) concurrency: usize,
    /// Tasks whose predictions are stored by one request.
    pub(super) store_size: usize,
    /// Tasks that the backend is asked about at most.
    pub(super) limit: usize,
    /// Whether tasks with a prediction of the version are predicted again.
    pub(super) replaces: bool,
    pub(super) journal: PathBuf,
    pub(super) report: Option<PathBuf>,
}

/// What a run asks.
#[derive(Clone, Copy)]
pub(super) struct Parties<'a> {
    pub(super) client: &'a Client,
    pub(super) model: &'a Model<'a>,
    pub(super) patience: &'a Patience<'a>,
    pub(super) progress: &'a Progress,
}

/// A run that is under way.
pub(super) struct Run<'a> {
    pub(super) parties: Parties<'a>,
    pub(super) settings: &'a RunSettings,
    pub(super) project: i64,
    source: Mutex<Source>,
    pub(super) state: Mutex<State>,
    pub(super) changed: Condvar,
    has_stopped: AtomicBool,
}

/// Where batches come from.
struct Source {
    tasks: TaskSource,
    n_batches: u64,
    /// Tasks that the backend may still be asked about.
    n_left: usize,
}

/// What the threads of a run share.
pub(super) struct State {
    pub(super) target: Arc<Target>,
    /// Counts the label configs; the first is 1.
    pub(super) generation: u32,
    pub(super) pending: VecDeque<Pending>,
    pub(super) journal: Journal,
    pub(super) head: Head,
    pub(super) report: Report,
    /// Tasks whose predictions may have been stored twice, and how many each should have.
    pub(super) doubtful: BTreeMap<i64, usize>,
    pub(super) is_storing: bool,
    /// Version of predictions that differs from the one of the setup.
    other_version: Option<String>,
}

/// Tasks to predict, and the batch that they belong to.
struct Work {
    tasks: Vec<Task>,
    batch: Batch,
}

/// How a run ended.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) counts: Counts,
    /// The first failures.
    pub(super) failures: Vec<String>,
    pub(super) target: Arc<Target>,
    /// Number of the last task that was looked at.
    pub(super) through: i64,
}

impl<'a> Run<'a> {
    /// Prepares a run, which goes on where one with the same journal was killed.
    ///
    /// `after` is the number of a task; those up to it are not looked at.
    pub(super) fn new(
        parties: Parties<'a>,
        settings: &'a RunSettings,
        project: &ProjectInfo,
        target: Target,
        after: i64,
    ) -> anyhow::Result<Self> {
        let (journal, left) = Journal::open(&settings.journal, &target.model_version)?;
        let (mut left, mut goes_on) = left_of(left, &target.model_version, parties.progress);
        let ids = settings
            .selection
            .ids(parties.client, project.id, parties.patience)?;
        left.head.through = left.head.through.max(after);
        let (tasks, n_rest) = match ids {
            Some(ids) => {
                // A list is read again from its start: what was stored is seen in Label Studio.
                left.head = Head::new(&target.model_version, 0);
                goes_on = false;
                let n_rest = ids.len();
                (TaskSource::of_ids(parties.client, project.id, ids), n_rest)
            }
            None => (
                TaskSource::after(parties.client, project.id, left.head.through),
                count_after(parties, project.id, left.head.through)?,
            ),
        };
        let n_left = settings.limit.saturating_sub(left.head.counts.asked());
        let n_done = left.head.counts.total();
        let total = n_done + n_rest.min(n_left);
        parties.progress.start(n_done as u64, total as u64);
        let run = Self {
            parties,
            settings,
            project: project.id,
            source: Mutex::new(Source {
                tasks,
                n_batches: 0,
                n_left,
            }),
            state: Mutex::new(State {
                target: Arc::new(target),
                generation: 1,
                pending: VecDeque::new(),
                journal,
                head: left.head,
                report: Report::open(settings.report.as_deref(), goes_on)?,
                doubtful: BTreeMap::new(),
                is_storing: false,
                other_version: None,
            }),
            changed: Condvar::new(),
            has_stopped: AtomicBool::new(false),
        };
        run.store_left(left.pending, &left.doubtful)?;
        let mut state = run.state();
        let State { journal, head, .. } = &mut *state;
        journal.rewrite(head, &[])?;
        drop(state);
        Ok(run)
    }

    /// Predicts and stores until nothing is left.
    ///
    /// # Errors
    /// When it cannot go on. The journal has what is needed to do so later.
    pub(super) fn finish(self) -> anyhow::Result<Summary> {
        let results: Vec<_> = thread::scope(|scope| {
            let work = || scope.spawn(|| self.work_until_end());
            let workers: Vec<_> = (0..self.settings.concurrency).map(|_| work()).collect();
            let join = |worker: thread::ScopedJoinHandle<'_, _>| {
                worker
                    .join()
                    .unwrap_or_else(|cause| panic::resume_unwind(cause))
            };
            workers.into_iter().map(join).collect()
        });
        results.into_iter().collect::<anyhow::Result<()>>()?;
        self.store(true)?;
        self.remove_doubles()?;
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        state.journal.remove()?;
        Ok(Summary {
            counts: state.head.counts,
            failures: state.report.shown().to_vec(),
            target: state.target,
            through: state.head.through,
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stop(&self) {
        self.has_stopped.store(true, Ordering::SeqCst);
    }

    pub(super) fn has_stopped(&self) -> bool {
        self.has_stopped.load(Ordering::SeqCst)
    }

    fn work_until_end(&self) -> anyhow::Result<()> {
        let result = self.work();
        if result.is_err() {
            // What the others are predicting goes into the journal, and they end.
            self.stop();
            self.changed.notify_all();
        }
        result
    }

    fn work(&self) -> anyhow::Result<()> {
        while !self.has_stopped()
            && let Some(work) = self.next_work()?
        {
            let (target, generation) = {
                let state = self.state();
                (Arc::clone(&state.target), state.generation)
            };
            let outcomes = if work.tasks.is_empty() {
                Vec::new()
            } else {
                self.parties.model.predict(&work.tasks, &target)?
            };
            self.record(&work, outcomes, generation)?;
            self.store(false)?;
        }
        Ok(())
    }

    fn next_work(&self) -> anyhow::Result<Option<Work>> {
        let target = Arc::clone(&self.state().target);
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let source = &mut *source;
        let mut tasks = Vec::new();
        let (mut through, mut counts) = (0, Counts::default());
        while tasks.len() < self.settings.batch_size.min(source.n_left)
            && counts.had_one < MAX_PASSED_OVER
        {
            let Some(task) = source.tasks.next(self.parties.patience)? else {
                break;
            };
            through = task.id.unwrap_or_default();
            let has_one = !self.settings.replaces
                && stored_predictions(&task)
                    .iter()
                    .any(|prediction| prediction.is_of(&target.model_version));
            if has_one {
                counts.had_one += 1;
            } else {
                tasks.push(task);
            }
        }
        if tasks.is_empty() && counts.had_one == 0 {
            return Ok(None);
        }
        source.n_left -= tasks.len();
        let idx = source.n_batches;
        source.n_batches += 1;
        let batch = Batch {
            idx,
            through,
            counts,
        };
        Ok(Some(Work { tasks, batch }))
    }

    /// Notes what became of a batch: in the journal first, so that it survives the end of this process.
    fn record(&self, work: &Work, outcomes: Vec<Outcome>, generation: u32) -> anyhow::Result<()> {
        let mut batch = work.batch;
        let mut pending = Vec::with_capacity(outcomes.len());
        let mut state = self.state();
        for (task, outcome) in work.tasks.iter().zip(outcomes) {
            let id = task.id.unwrap_or_default();
            match outcome {
                Outcome::Predicted(predictions) => {
                    batch.counts.predicted += 1;
                    self.note_version(&mut state, &predictions);
                    let mut made = Pending {
                        task: id,
                        predictions,
                        replaced: Vec::new(),
                        generation,
                    };
                    if self.settings.replaces {
                        made.replaced = made.same_version(task);
                    }
                    pending.push(made);
                }
                Outcome::Nothing => batch.counts.nothing += 1,
                Outcome::Failed(failure) => {
                    batch.counts.failed += 1;
                    state.report.add(id, &failure.reason)?;
                }
            }
        }
        state.journal.add(batch, &pending)?;
        state.head.advance(batch);
        state.pending.extend(pending);
        drop(state);
        self.parties.progress.advance(batch.counts.total());
        Ok(())
    }

    /// Says once that the model has changed while it was asked.
    fn note_version(&self, state: &mut State, predictions: &[label_studio_sdk::Prediction]) {
        let versions = predictions
            .iter()
            .filter_map(|prediction| prediction.model_version.as_ref());
        let expected = &state.target.model_version;
        let other = versions.into_iter().find(|version| *version != expected);
        if let Some(other) = other
            && state.other_version.as_ref() != Some(other)
        {
            self.parties.progress.note(&format!(
                "predictions have model version {other} now, and not {expected}; run the command again to predict the \
                 tasks before with it"
            ));
            state.other_version = Some(other.clone());
        }
    }
}

impl Pending {
    /// Returns the numbers of the stored predictions of a task that have the version of these.
    pub(super) fn same_version(&self, task: &Task) -> Vec<i64> {
        let mine = |version: &str| {
            let mut made = self.predictions.iter();
            made.any(|prediction| prediction.model_version.as_deref() == Some(version))
        };
        stored_predictions(task)
            .into_iter()
            .filter(|stored| stored.model_version.as_str().is_some_and(mine))
            .map(|stored| stored.id)
            .collect()
    }
}

/// Returns what a run is to go on with, and whether an earlier one has left it.
fn left_of(left: Option<Left>, model_version: &str, progress: &Progress) -> (Left, bool) {
    match left {
        Some(left) if left.head.model_version == model_version => {
            progress.note(&format!(
                "going on after {} tasks; predictions that wait to be stored: {}",
                left.head.counts.total(),
                left.pending.len()
            ));
            return (left, true);
        }
        Some(left) => progress.note(&format!(
            "the run before had model version {}, now it is {model_version}: starting anew",
            left.head.model_version
        )),
        None => {}
    }
    let left = Left {
        head: Head::new(model_version, 0),
        pending: Vec::new(),
        doubtful: Vec::new(),
    };
    (left, false)
}

/// Asks how many tasks have a number above `id`.
fn count_after(parties: Parties<'_>, project: i64, id: i64) -> anyhow::Result<usize> {
    let query = TaskQuery {
        page_size: 1,
        has_results: false,
        ..TaskQuery::after(project, id)
    };
    let page = parties.patience.ask(|| parties.client.task_page(&query))?;
    Ok(page.total.unwrap_or(page.tasks.len()))
}

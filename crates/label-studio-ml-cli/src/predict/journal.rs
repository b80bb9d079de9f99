//! The file by which a run that was killed goes on: predictions that Label Studio does not have yet, and how far the run is.
//!
//! A line of JSON follows another. The first is the state when the file was written; each later one adds a batch, or says
//! which tasks are being stored. A last line that was cut off is ignored. Storing writes the file anew.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use fs4::{FileExt, TryLockError};
use label_studio_sdk::Prediction;
use serde::{Deserialize, Serialize};

/// Numbers of tasks by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Counts {
    /// Tasks whose predictions were made.
    pub(super) predicted: usize,
    /// Tasks that had a prediction of the version.
    pub(super) had_one: usize,
    /// Tasks for which the backend has no prediction.
    pub(super) nothing: usize,
    /// Tasks that the backend could not predict.
    pub(super) failed: usize,
    /// Predicted tasks whose predictions Label Studio refused.
    pub(super) refused: usize,
    /// Predicted tasks that were deleted before their predictions were stored.
    pub(super) deleted: usize,
}

/// Predictions of a task that wait to be stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) task: i64,
    pub(super) predictions: Vec<Prediction>,
    /// Numbers of the stored predictions that these replace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) replaced: Vec<i64>,
    /// Which label config they were made for; 0 if an earlier run made them.
    #[serde(skip)]
    pub(super) generation: u32,
}

/// A batch that was predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Batch {
    pub(super) idx: u64,
    /// Number of its last task.
    pub(super) through: i64,
    pub(super) counts: Counts,
}

/// How far a run is: the first line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) model_version: String,
    /// Number of the last task before which all are done.
    pub(super) through: i64,
    /// Number of the first batch after them.
    next: u64,
    /// What became of them.
    pub(super) counts: Counts,
    /// Batches that ended before an earlier one.
    #[serde(skip)]
    later: BTreeMap<u64, Batch>,
}

/// Any further line.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    batch: Option<Batch>,
    pending: Vec<Pending>,
    sending: Vec<i64>,
}

/// A line to be written.
#[derive(Debug, Default, Serialize)]
struct NewLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<Batch>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pending: &'a [Pending],
    /// Tasks whose predictions are on their way to Label Studio.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    sending: &'a [i64],
}

/// What a killed run has left.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) head: Head,
    pub(super) pending: Vec<Pending>,
    /// Tasks whose predictions Label Studio may have.
    pub(super) doubtful: Vec<i64>,
}

/// The journal of a run. Only one run at a time has it.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    _lock: File,
}

impl Counts {
    pub(super) fn add(&mut self, other: Self) {
        self.predicted += other.predicted;
        self.had_one += other.had_one;
        self.nothing += other.nothing;
        self.failed += other.failed;
        self.refused += other.refused;
        self.deleted += other.deleted;
    }

    /// Returns how many tasks the backend was asked about.
    pub(super) fn asked(self) -> usize {
        self.predicted + self.nothing + self.failed
    }

    /// Returns how many tasks were looked at.
    pub(super) fn total(self) -> usize {
        self.asked() + self.had_one
    }

    /// Returns how many tasks got predictions, once all are stored.
    pub(super) fn stored(self) -> usize {
        self.predicted.saturating_sub(self.refused + self.deleted)
    }
}

impl Head {
    /// Starts behind the task of a number.
    pub(super) fn new(model_version: &str, through: i64) -> Self {
        Self {
            model_version: model_version.to_owned(),
            through,
            next: 0,
            counts: Counts::default(),
            later: BTreeMap::new(),
        }
    }

    /// Counts a batch as done; batches may end in another order than they begin.
    pub(super) fn advance(&mut self, batch: Batch) {
        self.later.insert(batch.idx, batch);
        while let Some(batch) = self.later.remove(&self.next) {
            self.through = self.through.max(batch.through);
            self.counts.add(batch.counts);
            self.next += 1;
        }
    }
}

impl Journal {
    /// Opens the journal at `path`, and reads what a killed run has left there.
    ///
    /// # Errors
    /// When another run has it, or it cannot be read or written.
    pub(super) fn open(path: &Path, model_version: &str) -> anyhow::Result<(Self, Option<Left>)> {
        let shown = path.display();
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        let lock_path = path.with_extension("lock");
        let lock = options
            .open(&lock_path)
            .with_context(|| format!("cannot write {}", lock_path.display()))?;
        if matches!(FileExt::try_lock(&lock), Err(TryLockError::WouldBlock)) {
            bail!("another run predicts the same tasks; its journal is {shown}");
        }
        let left = match File::open(path) {
            Ok(file) => read(BufReader::new(file)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| format!("cannot read {shown}")),
        };
        let head = match &left {
            Some(left) => left.head.clone(),
            None => Head::new(model_version, 0),
        };
        let pending = left.as_ref().map_or(&[] as &[_], |left| &left.pending);
        let doubtful = left.as_ref().map_or(&[] as &[_], |left| &left.doubtful);
        let file = write_anew(path, &head, pending, doubtful)?;
        let journal = Self {
            path: path.to_owned(),
            file,
            _lock: lock,
        };
        Ok((journal, left))
    }

    /// Adds a batch and its predictions.
    pub(super) fn add(&mut self, batch: Batch, pending: &[Pending]) -> anyhow::Result<()> {
        self.append(&NewLine {
            batch: Some(batch),
            pending,
            ..NewLine::default()
        })
    }

    /// Notes that predictions are on their way to Label Studio.
    pub(super) fn sending(&mut self, tasks: &[i64]) -> anyhow::Result<()> {
        self.append(&NewLine {
            sending: tasks,
            ..NewLine::default()
        })
    }

    /// Writes the journal anew after predictions were stored.
    pub(super) fn rewrite<'a>(
        &mut self,
        head: &Head,
        pending: impl IntoIterator<Item = &'a Pending>,
    ) -> anyhow::Result<()> {
        self.file = write_anew(&self.path, head, pending, &[])?;
        Ok(())
    }

    /// Removes the journal at the end of a run.
    pub(super) fn remove(self) -> anyhow::Result<()> {
        fs::remove_file(&self.path)
            .with_context(|| format!("cannot remove {}", self.path.display()))?;
        // Another run may have opened it meanwhile.
        let _ = fs::remove_file(self.path.with_extension("lock"));
        Ok(())
    }

    fn append(&mut self, line: &NewLine<'_>) -> anyhow::Result<()> {
        // One write, so that a line is whole or the last.
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file
            .write_all(&text)
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

fn read(file: impl BufRead) -> Option<Left> {
    let mut lines = file.lines().map_while(Result::ok);
    let head: Head = serde_json::from_str(&lines.next()?).ok()?;
    let mut left = Left {
        head,
        pending: Vec::new(),
        doubtful: Vec::new(),
    };
    for line in lines {
        let Ok(line) = serde_json::from_str::<Line>(&line) else {
            break;
        };
        if let Some(batch) = line.batch {
            left.head.advance(batch);
        }
        left.pending.extend(line.pending);
        left.doubtful.extend(line.sending);
    }
    // A new run counts its batches anew, and looks again at those that ended too early.
    left.head.next = 0;
    left.head.later.clear();
    Some(left)
}

fn write_anew<'a>(
    path: &Path,
    head: &Head,
    pending: impl IntoIterator<Item = &'a Pending>,
    doubtful: &[i64],
) -> anyhow::Result<File> {
    let new = path.with_extension("new");
    let written = (|| {
        let mut writer = BufWriter::new(File::create(&new)?);
        serde_json::to_writer(&mut writer, head)?;
        writer.write_all(b"\n")?;
        for pending in pending {
            let line = NewLine {
                pending: std::slice::from_ref(pending),
                ..NewLine::default()
            };
            serde_json::to_writer(&mut writer, &line)?;
            writer.write_all(b"\n")?;
        }
        if !doubtful.is_empty() {
            let line = NewLine {
                sending: doubtful,
                ..NewLine::default()
            };
            serde_json::to_writer(&mut writer, &line)?;
            writer.write_all(b"\n")?;
        }
        let file = writer
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)?;
        fs::rename(&new, path)?;
        Ok::<_, anyhow::Error>(file)
    })();
    written.with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{Batch, Counts, Head, Journal, Pending};

    fn batch(idx: u64, through: i64) -> Batch {
        let counts = Counts {
            predicted: 2,
            ..Counts::default()
        };
        Batch {
            idx,
            through,
            counts,
        }
    }

    fn pending(task: i64) -> Pending {
        Pending {
            task,
            predictions: Vec::new(),
            replaced: vec![7],
            generation: 0,
        }
    }

    #[test]
    fn a_killed_run_leaves_what_was_not_stored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/run.jsonl");
        let (mut journal, left) = Journal::open(&path, "v1").unwrap();
        assert!(left.is_none());
        assert!(Journal::open(&path, "v1").is_err(), "one run at a time");
        // The second batch ends before the first, and the third after neither.
        journal.add(batch(1, 20), &[pending(11)]).unwrap();
        journal.add(batch(0, 10), &[pending(1)]).unwrap();
        journal.add(batch(3, 40), &[pending(31)]).unwrap();
        journal.sending(&[11]).unwrap();
        journal.file.write_all(b"{\"batch\": {\"idx\"").unwrap();
        drop(journal);
        let (mut journal, left) = Journal::open(&path, "v2").unwrap();
        let left = left.unwrap();
        assert_eq!(left.head.model_version, "v1");
        assert_eq!(left.head.through, 20, "the third batch is missing");
        assert_eq!(left.head.counts.predicted, 4, "of the first two");
        assert_eq!(left.pending, [pending(11), pending(1), pending(31)]);
        assert_eq!(left.doubtful, [11]);
        journal.rewrite(&left.head, &left.pending[1..]).unwrap();
        drop(journal);
        let (journal, again) = Journal::open(&path, "v1").unwrap();
        let again = again.unwrap();
        assert_eq!(again.pending, left.pending[1..]);
        assert!(again.doubtful.is_empty());
        journal.remove().unwrap();
        assert!(Journal::open(&path, "v1").unwrap().1.is_none());
    }

    #[test]
    fn batches_after_storing_count_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        let (mut journal, _) = Journal::open(&path, "v1").unwrap();
        let mut head = Head::new("v1", 0);
        for (idx, through) in [(0, 10), (1, 20)] {
            head.advance(batch(idx, through));
        }
        journal.rewrite(&head, &[]).unwrap();
        journal.add(batch(2, 30), &[]).unwrap();
        drop(journal);
        let (_, left) = Journal::open(&path, "v1").unwrap();
        assert_eq!(left.unwrap().head.through, 30);
    }
}

//! Predicting files, without Label Studio.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use label_studio_sdk::{LabelConfig, Task};
use serde_json::{Map, Value, json};

use super::{args::FilesArgs, pass::SOME_FAILED};
use crate::{
    draw::Gallery,
    inputs::{Kind, Media, OCTETS, Shown, read_tasks},
    project::{Model, Outcome, Progress},
    terminal::line,
};

/// Key of the project that the backend is asked about; those of Label Studio begin with 1.
const PROJECT: &str = "0";
/// Largest file: it is sent within the request, and backends take 256 MiB by default.
const MAX_FILE_BYTES: u64 = 150 << 20;
/// Bytes of files in a request after which no other is added.
const FULL_BATCH_BYTES: usize = 32 << 20;

/// A task of a file.
struct Input {
    /// Data as Label Studio is to get it.
    data: Map<String, Value>,
    /// The task as the backend gets it: with the content of the file.
    task: Task,
    /// What the task is called in messages.
    name: String,
}

impl FilesArgs {
    /// Predicts the files, and writes tasks with their predictions.
    pub(super) fn run(
        &self,
        model: &Model<'_>,
        batch_size: usize,
        progress: &Progress,
        out: &mut dyn Write,
    ) -> anyhow::Result<ExitCode> {
        let path = self
            .label_config
            .as_deref()
            .context("no label config is given")?;
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the label config {}", path.display()))?;
        let target = model.set_up_with(PROJECT, &text, None)?;
        let mut gallery = self.draw.as_deref().map(Gallery::open).transpose()?;
        let mut file = match &self.out {
            Some(path) => {
                Some(BufWriter::new(File::create(path).with_context(|| {
                    format!("cannot write {}", path.display())
                })?))
            }
            None => None,
        };
        let out: &mut dyn Write = match &mut file {
            Some(file) => file,
            None => out,
        };
        progress.start(0, self.files.len() as u64);
        let mut n_failed = 0;
        let mut separator = "[";
        let mut waiting = Vec::new();
        let mut n_bytes = 0;
        let mut inputs = self
            .files
            .iter()
            .flat_map(|file| inputs_of(file, &target.label_config));
        loop {
            let input = inputs.next().transpose()?;
            let is_last = input.is_none();
            if let Some(input) = input {
                n_bytes += size_of(&input.task);
                waiting.push(input);
            }
            let is_full = waiting.len() >= batch_size || n_bytes >= FULL_BATCH_BYTES;
            if is_full || is_last && !waiting.is_empty() {
                let tasks: Vec<_> = waiting.iter().map(|input| input.task.clone()).collect();
                let outcomes = model.predict(&tasks, &target)?;
                progress.advance(tasks.len());
                for (input, outcome) in waiting.drain(..).zip(outcomes) {
                    let predictions = match outcome {
                        Outcome::Predicted(predictions) => predictions,
                        Outcome::Nothing => Vec::new(),
                        Outcome::Failed(failure) => {
                            n_failed += 1;
                            progress.note(&format!(
                                "{}: {}",
                                line(&input.name),
                                line(&failure.reason)
                            ));
                            Vec::new()
                        }
                    };
                    let predictions = serde_json::to_value(predictions)?;
                    if let Some(gallery) = &mut gallery {
                        gallery.add(
                            &input.name,
                            &input.task.data,
                            &target.label_config,
                            &predictions,
                        )?;
                    }
                    let written = json!({ "data": input.data, "predictions": predictions });
                    write!(out, "{separator}\n{written}")?;
                    separator = ",";
                }
                n_bytes = 0;
            }
            if is_last {
                break;
            }
        }
        let end = if separator == "[" { "[]" } else { "\n]" };
        writeln!(out, "{end}")?;
        out.flush()?;
        if let Some(gallery) = gallery {
            gallery.finish()?;
        }
        progress.finish();
        Ok(ExitCode::from(if n_failed > 0 { SOME_FAILED } else { 0 }))
    }
}

/// Returns the tasks of a file: of a JSON file all that are in it, of any other file one.
fn inputs_of(path: &Path, label_config: &LabelConfig) -> Vec<anyhow::Result<Input>> {
    let inputs = match Kind::of(path) {
        Kind::Tasks => tasks_in(path),
        Kind::Media(media) => one_task(path, Some(media), label_config),
        Kind::Text => one_task(path, None, label_config),
    };
    let inputs = inputs.with_context(|| format!("cannot use {}", path.display()));
    match inputs {
        Ok(inputs) => inputs.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    }
}

/// Reads the tasks of a JSON file.
fn tasks_in(path: &Path) -> anyhow::Result<Vec<Input>> {
    let tasks = read_tasks(path)?.into_iter().enumerate();
    let input = |(idx, task): (usize, Value)| {
        let task = Task::from_value(&task)?;
        Ok(Input {
            data: task.data.clone(),
            name: format!("{}, task {}", path.display(), idx + 1),
            task,
        })
    };
    tasks.map(input).collect()
}

/// Makes a task of a file, under the name that the fitting object tag of the label config has.
fn one_task(
    path: &Path,
    media: Option<Media>,
    label_config: &LabelConfig,
) -> anyhow::Result<Vec<Input>> {
    let shown = Shown::by(label_config, media)?;
    let size = fs::metadata(path)?.len();
    ensure!(
        size <= MAX_FILE_BYTES,
        "it has {} MiB, and {} are the most that is sent to a backend",
        size >> 20,
        MAX_FILE_BYTES >> 20
    );
    let (content, visible) = if shown.is_text {
        let text = fs::read_to_string(path).context("it is not a text in UTF-8")?;
        (Value::from(text.clone()), Value::from(text))
    } else {
        let media_type = media.map_or(OCTETS, |media| media.media_type);
        let content = BASE64_STANDARD.encode(fs::read(path)?);
        let visible = path.to_str().context("its name is not UTF-8")?;
        (
            format!("data:{media_type};base64,{content}").into(),
            visible.into(),
        )
    };
    let with = |value| Map::from_iter([(shown.field.to_owned(), value)]);
    Ok(vec![Input {
        data: with(visible),
        task: Task::new(with(content)),
        name: path.display().to_string(),
    }])
}

/// Returns how many bytes of text a task has.
fn size_of(task: &Task) -> usize {
    let texts = task.data.values().filter_map(Value::as_str);
    texts.map(str::len).sum()
}

/// Checks the files before a backend is started for them.
pub(super) fn check(files: &[PathBuf]) -> anyhow::Result<()> {
    for path in files {
        ensure!(path.is_file(), "there is no file {}", path.display());
    }
    Ok(())
}

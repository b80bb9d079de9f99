//! Predicting files, without Label Studio.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use label_studio_sdk::{LabelConfig, Object, Task};
use serde_json::{Map, Value, json};

use super::{args::FilesArgs, pass::SOME_FAILED};
use crate::{
    draw::Gallery,
    project::{Model, Outcome, Progress},
    terminal::line,
};

/// Key of the project that the backend is asked about; those of Label Studio begin with 1.
const PROJECT: &str = "0";
/// Largest file: it is sent within the request, and backends take 256 MiB by default.
const MAX_FILE_BYTES: u64 = 150 << 20;
/// Bytes of files in a request after which no other is added.
const FULL_BATCH_BYTES: usize = 32 << 20;

/// Media types by the end of a file's name, and the object tag that shows them.
const MEDIA: [(&str, &str, &str); 22] = [
    ("jpg", "image/jpeg", "Image"),
    ("jpeg", "image/jpeg", "Image"),
    ("png", "image/png", "Image"),
    ("webp", "image/webp", "Image"),
    ("gif", "image/gif", "Image"),
    ("bmp", "image/bmp", "Image"),
    ("tif", "image/tiff", "Image"),
    ("tiff", "image/tiff", "Image"),
    ("svg", "image/svg+xml", "Image"),
    ("wav", "audio/wav", "Audio"),
    ("mp3", "audio/mpeg", "Audio"),
    ("flac", "audio/flac", "Audio"),
    ("ogg", "audio/ogg", "Audio"),
    ("m4a", "audio/mp4", "Audio"),
    ("mp4", "video/mp4", "Video"),
    ("webm", "video/webm", "Video"),
    ("mov", "video/quicktime", "Video"),
    ("mkv", "video/x-matroska", "Video"),
    ("pdf", "application/pdf", "Pdf"),
    ("csv", "text/csv", "TimeSeries"),
    ("html", "text/html", "HyperText"),
    ("htm", "text/html", "HyperText"),
];

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
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    let ending = ending.to_ascii_lowercase();
    let inputs = match ending.as_str() {
        "json" | "jsonl" => tasks_in(path),
        _ => one_task(path, &ending, label_config).map(|input| vec![input]),
    };
    let inputs = inputs.with_context(|| format!("cannot use {}", path.display()));
    match inputs {
        Ok(inputs) => inputs.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    }
}

/// Reads tasks as Label Studio imports and exports them: with `data`, or the data alone; a list, one, or one per line.
fn tasks_in(path: &Path) -> anyhow::Result<Vec<Input>> {
    let text = fs::read_to_string(path)?;
    let items = match serde_json::from_str(&text) {
        Ok(Value::Array(items)) => items,
        Ok(item) => vec![item],
        Err(error) => {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            let items = lines.map(serde_json::from_str).collect::<Result<_, _>>();
            items.map_err(|_| error)?
        }
    };
    let mut inputs = Vec::with_capacity(items.len());
    for (idx, item) in items.into_iter().enumerate() {
        let task = match item {
            Value::Object(task) if task.get("data").is_some_and(Value::is_object) => task,
            Value::Object(data) => Map::from_iter([("data".to_owned(), Value::Object(data))]),
            _ => bail!("entry {idx} is not a task: an object with \"data\""),
        };
        let task = Task::from_value(&Value::Object(task))?;
        inputs.push(Input {
            data: task.data.clone(),
            name: format!("{}, task {}", path.display(), idx + 1),
            task,
        });
    }
    Ok(inputs)
}

/// Makes a task of a file, under the name that the fitting object tag of the label config has.
fn one_task(path: &Path, ending: &str, label_config: &LabelConfig) -> anyhow::Result<Input> {
    let media = MEDIA.iter().find(|(known, ..)| *known == ending);
    let tag = media.map_or("Text", |(.., tag)| *tag);
    let object = object_for(label_config, tag)?;
    let name = object
        .variable()
        .with_context(|| format!("<{}> {:?} shows no $name", object.tag, object.name))?;
    let size = fs::metadata(path)?.len();
    ensure!(
        size <= MAX_FILE_BYTES,
        "it has {} MiB, and {} are the most that is sent to a backend",
        size >> 20,
        MAX_FILE_BYTES >> 20
    );
    let shows_text = matches!(
        &*object.tag.to_lowercase(),
        "text" | "hypertext" | "paragraphs"
    ) && object.value_type.as_deref() != Some("url");
    let (content, shown) = if shows_text {
        let text = fs::read_to_string(path).context("it is not a text in UTF-8")?;
        (Value::from(text.clone()), Value::from(text))
    } else {
        let media_type = media.map_or("application/octet-stream", |(_, media_type, _)| media_type);
        let content = BASE64_STANDARD.encode(fs::read(path)?);
        let shown = path.to_str().context("its name is not UTF-8")?;
        (
            format!("data:{media_type};base64,{content}").into(),
            shown.into(),
        )
    };
    let with = |value| Map::from_iter([(name.to_owned(), value)]);
    Ok(Input {
        data: with(shown),
        task: Task::new(with(content)),
        name: path.display().to_string(),
    })
}

/// Returns the object tag that shows a kind of file, else the only one.
fn object_for<'a>(label_config: &'a LabelConfig, tag: &str) -> anyhow::Result<&'a Object> {
    let objects = label_config.objects();
    let is_alike = |object: &&Object| object.tag.eq_ignore_ascii_case(tag);
    let found = objects.iter().find(is_alike);
    let found = found.or_else(|| (objects.len() == 1).then(|| &objects[0]));
    found.with_context(|| format!("the label config has no <{tag}> that shows it"))
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

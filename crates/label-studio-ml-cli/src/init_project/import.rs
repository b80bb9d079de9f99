//! Files that become tasks of a project.

use std::{collections::HashSet, fs, mem, path::Path};

use anyhow::{Context, bail, ensure};
use label_studio_sdk::{
    Client, LabelConfig,
    client::{ProjectInfo, UploadedFile},
};
use serde_json::{Map, Value, json};

use crate::{
    inputs::{Kind, Media, Shown, read_tasks},
    project::{Progress, explained, is_temporary},
    terminal::line,
};

/// Tasks of one request.
const MAX_TASKS: usize = 500;
/// Bytes of the tasks of one request, after which no other is added.
const FULL_REQUEST_BYTES: usize = 8 << 20;
/// Largest file that Label Studio takes (`DATA_UPLOAD_MAX_MEMORY_SIZE`).
const MAX_FILE_BYTES: u64 = 250 << 20;

/// An import that goes on file by file.
pub(super) struct Import<'a> {
    client: &'a Client,
    project: i64,
    label_config: &'a LabelConfig,
    progress: &'a Progress,
    waiting: Vec<Value>,
    n_waiting_bytes: usize,
    counted: Counted,
}

/// What became of the files.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    /// Tasks that Label Studio has.
    pub(super) n_tasks: usize,
    /// Files, or requests with tasks, that were not imported.
    pub(super) n_failed: usize,
}

/// What Label Studio gets of a file.
enum Content {
    Tasks(Vec<Value>),
    File(Media, Vec<u8>),
}

impl<'a> Import<'a> {
    pub(super) fn new(
        client: &'a Client,
        project: &ProjectInfo,
        label_config: &'a LabelConfig,
        progress: &'a Progress,
    ) -> Self {
        Self {
            client,
            project: project.id,
            label_config,
            progress,
            waiting: Vec::new(),
            n_waiting_bytes: 0,
            counted: Counted::default(),
        }
    }

    /// Imports a file. One that cannot be imported is said, and the others go on.
    ///
    /// # Errors
    /// When Label Studio does not answer, or accepts nothing more.
    pub(super) fn add(&mut self, path: &Path) -> anyhow::Result<()> {
        match self.content_of(path) {
            Ok(Content::Tasks(tasks)) => {
                for task in tasks {
                    self.add_task(task)?;
                }
            }
            Ok(Content::File(media, content)) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let file = UploadedFile {
                    name: &name,
                    media_type: media.media_type,
                    content: &content,
                };
                let uploaded = self.client.upload_file(self.project, &file);
                self.count(uploaded, 1, &path.display().to_string())?;
            }
            Err(error) => self.fail(&path.display().to_string(), &error),
        }
        self.progress.advance(1);
        Ok(())
    }

    /// Imports what waits, and returns what became of all.
    pub(super) fn finish(&mut self) -> anyhow::Result<Counted> {
        self.send_waiting()?;
        Ok(self.counted)
    }

    fn content_of(&self, path: &Path) -> anyhow::Result<Content> {
        let media = match Kind::of(path) {
            Kind::Tasks => return Ok(Content::Tasks(read_tasks(path)?)),
            Kind::Media(media) => Some(media),
            Kind::Text => None,
        };
        let shown = Shown::by(self.label_config, media)?;
        if shown.is_text {
            let text = fs::read_to_string(path).context("it is not a text in UTF-8")?;
            let data = Map::from_iter([(shown.field.to_owned(), Value::from(text))]);
            return Ok(Content::Tasks(vec![json!({ "data": data })]));
        }
        let Some(media) = media else {
            bail!(
                "the end of its name is that of no known media, and the label config shows no text"
            );
        };
        let objects = self.label_config.objects().iter();
        let fields: HashSet<_> = objects.filter_map(|object| object.variable()).collect();
        ensure!(
            fields.len() == 1,
            "the label config shows several fields of a task; import a JSON file of tasks with all of them"
        );
        let n_bytes = fs::metadata(path)?.len();
        ensure!(
            n_bytes <= MAX_FILE_BYTES,
            "it has {} MiB, and Label Studio takes {}",
            n_bytes >> 20,
            MAX_FILE_BYTES >> 20
        );
        Ok(Content::File(media, fs::read(path)?))
    }

    fn add_task(&mut self, task: Value) -> anyhow::Result<()> {
        self.n_waiting_bytes += task.to_string().len();
        self.waiting.push(task);
        if self.waiting.len() >= MAX_TASKS || self.n_waiting_bytes >= FULL_REQUEST_BYTES {
            self.send_waiting()?;
        }
        Ok(())
    }

    fn send_waiting(&mut self) -> anyhow::Result<()> {
        self.n_waiting_bytes = 0;
        let tasks = mem::take(&mut self.waiting);
        if tasks.is_empty() {
            return Ok(());
        }
        let imported = self.client.import_tasks(self.project, &tasks);
        self.count(imported, tasks.len(), &format!("{} tasks", tasks.len()))
    }

    fn count(
        &mut self,
        imported: Result<(), label_studio_sdk::ClientError>,
        n_tasks: usize,
        name: &str,
    ) -> anyhow::Result<()> {
        match imported {
            Ok(()) => self.counted.n_tasks += n_tasks,
            Err(error) if is_temporary(&error) || matches!(error.status(), Some(401 | 403)) => {
                return Err(explained(error).context(format!("stopped at {}", line(name))));
            }
            Err(error) => self.fail(name, &error.into()),
        }
        Ok(())
    }

    fn fail(&mut self, name: &str, error: &anyhow::Error) {
        self.counted.n_failed += 1;
        let reason = format!("{error:#}");
        self.progress.note(&format!(
            "{} is not imported: {}",
            line(name),
            line(&reason)
        ));
    }
}

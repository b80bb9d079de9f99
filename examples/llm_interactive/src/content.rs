//! Content of a task, as texts and parts of a message.

use std::{borrow::Cow, fs, path::Path};

use label_studio_ml::{
    Map, Object, Project, Task, Value,
    anyhow::{self, Context, bail},
    json,
    sdk::{media::needs_preload, python},
    serde_json,
};
use label_studio_services::{Deadline, constant_text, shown_value};
use label_studio_vision::llm::{LlmImages, data_url};

use crate::{MediaArgs, MediaMode, pdf};

/// Object tags whose data are addresses of files that are no text.
const MEDIA: [&str; 5] = ["Image", "Pdf", "Audio", "Video", "TimeSeries"];
/// Models that do not accept images.
const BLIND: [&str; 2] = ["gpt-3.5", "gpt-35"];

/// Content of a task for the model.
pub(crate) struct Content<'a> {
    project: &'a Project,
    task: &'a Task,
    object: &'a Object,
    media_text: Option<String>,
    /// Images and documents, as parts of the message.
    pub(crate) parts: Vec<Value>,
}

impl<'a> Content<'a> {
    /// Fetches and reads the images or the document of a task; all else is read when it is asked for.
    pub(crate) fn load(
        project: &'a Project,
        task: &'a Task,
        object: &'a Object,
        reader: &MediaReader<'_>,
    ) -> anyhow::Result<Self> {
        let mut content = Self {
            project,
            task,
            object,
            media_text: None,
            parts: Vec::new(),
        };
        let is_pdf = object.tag.eq_ignore_ascii_case("Pdf");
        if !is_pdf && !object.tag.eq_ignore_ascii_case("Image") {
            return Ok(content);
        }
        let addresses = content.addresses()?;
        let mut texts = Vec::new();
        for address in addresses {
            let path = project.local_path(task, address)?;
            let time = reader.deadline.remaining();
            let in_file = || format!("{:?} of the task cannot be used", object.value_name);
            if reader.sends_parts(is_pdf) {
                let part = if is_pdf {
                    pdf_part(&path)
                } else {
                    reader.image_part(&path)
                };
                content.parts.push(part.with_context(in_file)?);
                let what = if is_pdf { "document" } else { "image" };
                texts.push(format!("(the attached {what})"));
            } else if is_pdf {
                texts.push(pdf::text(reader.media, &path, time).with_context(in_file)?);
            } else {
                let text = reader.images.text(&path, time);
                texts.push(text.with_context(in_file)?);
            }
        }
        content.media_text = (!texts.is_empty()).then(|| texts.join("\n"));
        Ok(content)
    }

    /// Returns the text of the object; an error when the task has no value for it.
    pub(crate) fn text(&self) -> anyhow::Result<Cow<'_, str>> {
        if let Some(text) = &self.media_text {
            return Ok(Cow::Borrowed(text));
        }
        let object = self.object;
        if let Some(text) = constant_text(object) {
            return Ok(Cow::Borrowed(text));
        }
        let value = self.loaded(&object.value_name, shown_value(self.task, object)?)?;
        if object.tag.eq_ignore_ascii_case("Paragraphs") {
            // A dialogue behind an address comes as text.
            let dialogue = value
                .as_str()
                .and_then(|text| serde_json::from_str(text).ok());
            return Ok(python::json_dumps(dialogue.as_ref().unwrap_or(&value)).into());
        }
        Ok(shown(value))
    }

    /// Returns a field of the task's data as templates show it, `None` when the task lacks it; an error when the task lacks
    /// the field that the object shows.
    pub(crate) fn field(&self, name: &str) -> anyhow::Result<Option<Cow<'_, str>>> {
        if let Some(text) = &self.media_text
            && name == self.object.value_name
        {
            return Ok(Some(Cow::Borrowed(text)));
        }
        let value = if name == self.object.value_name {
            Some(shown_value(self.task, self.object)?)
        } else {
            self.task.value(name)
        };
        value
            .map(|value| self.loaded(name, value).map(shown))
            .transpose()
    }

    /// Returns the value of a data field, with texts instead of their addresses.
    fn loaded<'v>(&self, name: &str, value: &'v Value) -> anyhow::Result<Cow<'v, Value>> {
        if !may_hold_address(value) || self.is_media(name) {
            return Ok(Cow::Borrowed(value));
        }
        let mut task = Task::new(Map::from_iter([(name.to_owned(), value.clone())]));
        task.id = self.task.id;
        let loaded = self.project.preload_task_data(&task)?.remove(name);
        Ok(loaded.map_or(Cow::Borrowed(value), Cow::Owned))
    }

    /// Returns whether a field holds the address of a file that is no text.
    fn is_media(&self, name: &str) -> bool {
        let mut objects = self.project.label_config().objects().iter();
        objects.any(|object| {
            object.value_name == name
                && MEDIA
                    .iter()
                    .any(|tag| tag.eq_ignore_ascii_case(&object.tag))
        })
    }

    fn addresses(&self) -> anyhow::Result<Vec<&'a str>> {
        let name = &self.object.value_name;
        let addresses = match shown_value(self.task, self.object)? {
            Value::String(address) => Some(vec![address.as_str()]),
            Value::Array(addresses) => addresses.iter().map(Value::as_str).collect(),
            _ => None,
        };
        let Some(addresses) = addresses else {
            bail!(
                "data field {name:?} of the task holds no address, which <{}> shows",
                self.object.tag
            );
        };
        Ok(addresses)
    }
}

/// How images and documents are read.
pub(crate) struct MediaReader<'a> {
    pub(crate) media: &'a MediaArgs,
    pub(crate) images: &'a LlmImages,
    pub(crate) model: &'a str,
    pub(crate) deadline: Deadline,
}

impl MediaReader<'_> {
    fn sends_parts(&self, is_pdf: bool) -> bool {
        match self.media.media_mode {
            MediaMode::Auto => !is_pdf && !BLIND.iter().any(|name| self.model.starts_with(name)),
            MediaMode::Parts => true,
            MediaMode::Text => false,
        }
    }

    fn image_part(&self, path: &Path) -> anyhow::Result<Value> {
        let url = self.images.data_url(path)?;
        Ok(json!({ "type": "image_url", "image_url": { "url": url } }))
    }
}

fn pdf_part(path: &Path) -> anyhow::Result<Value> {
    let bytes = fs::read(path)?;
    let file =
        json!({ "filename": "document.pdf", "file_data": data_url("application/pdf", &bytes) });
    Ok(json!({ "type": "file", "file": file }))
}

fn may_hold_address(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => needs_preload(text),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// Writes a value as Python's `str` does.
fn shown(value: Cow<'_, Value>) -> Cow<'_, str> {
    match value {
        Cow::Borrowed(value) => python::str(value),
        Cow::Owned(Value::String(text)) => Cow::Owned(text),
        Cow::Owned(value) => Cow::Owned(python::repr(&value)),
    }
}

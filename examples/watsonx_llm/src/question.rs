//! From a task and a prompt to a question.

use std::{borrow::Cow, fs::File, io::Read as _, path::Path};

use label_studio_ml::{
    Control, LabelConfig, Object, Project, Task, Value,
    anyhow::{self, Context, bail},
    sdk::{
        LabelConfigError, Pair,
        python::{self, fill_template},
    },
};
use label_studio_services::{Deadline, constant_text, prompt_pair, shown_value};
use label_studio_vision::llm::LlmImages;

use crate::{Endpoint, Options, Question};

/// Longest text that is taken from a file, in bytes.
const MAX_TEXT_BYTES: u64 = 16 << 20;

const OBJECTS: [&str; 4] = ["Image", "Text", "HyperText", "Paragraphs"];

/// The parts of a question that all tasks of a request share.
pub(crate) struct Asking<'a> {
    pub(crate) options: &'a Options,
    pub(crate) images: &'a LlmImages,
    pub(crate) prompt: &'a str,
    pub(crate) endpoint: Endpoint,
    pub(crate) deadline: Deadline,
}

/// The controls that a prompt is typed into and an answer goes to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tags<'a> {
    pub(crate) prompt: &'a Control,
    pub(crate) object: &'a Object,
    pub(crate) choices: Option<&'a Control>,
    pub(crate) response: Option<&'a Control>,
}

impl<'a> Tags<'a> {
    pub(crate) fn find(label_config: &'a LabelConfig, prefix: &str) -> anyhow::Result<Self> {
        let pair = prompt_pair(label_config, prefix, &OBJECTS);
        let Pair { control, object } = pair.with_context(|| {
            format!("no <TextArea> whose name starts with {prefix:?} to type a prompt into")
        })?;
        let on_object = |tag| -> Result<Pair<'a>, LabelConfigError> {
            label_config.first_pair_where(
                tag,
                &OBJECTS,
                |other: &Control| other.name != control.name,
                |other: &Object| other.name == object.name,
            )
        };
        let choices = on_object("Choices").ok().map(|pair| pair.control);
        let response = on_object("TextArea").ok().map(|pair| pair.control);
        if choices.is_none() && response.is_none() {
            bail!(
                "neither a <Choices> nor a second <TextArea> on {:?} to put an answer into",
                object.name
            );
        }
        Ok(Self {
            prompt: control,
            object,
            choices,
            response,
        })
    }

    /// Makes the question about a task.
    pub(crate) fn question(
        &self,
        project: &Project,
        task: &Task,
        asking: &Asking<'_>,
    ) -> anyhow::Result<Question> {
        let (args, prompt) = (&asking.options.prompt, asking.prompt);
        let is_internal = args.use_internal_prompt_template;
        let shows_object = prompt.contains(&format!("{{{}}}", self.object.value_name));
        let (text, images) = if is_internal || self.is_file() || shows_object {
            self.content(project, task, asking)?
        } else {
            // The prompt asks about other fields.
            Default::default()
        };
        let labels = self
            .choices
            .map(|choices| Value::from(choices.labels.clone()));
        let labels = python::repr(&labels.unwrap_or_default());
        let text = if is_internal {
            fill_template(&args.prompt.prompt_template, |name| match name {
                "text" => Some(Cow::from(&*text)),
                "prompt" => Some(Cow::from(prompt)),
                "labels" => Some(Cow::from(&*labels)),
                _ => None,
            })
        } else {
            fill_template(prompt, |name| match name {
                "labels" => Some(Cow::from(&*labels)),
                name if self.is_file() && name == self.object.value_name => Some(Cow::from(&*text)),
                name if name == self.object.value_name => {
                    shown_value(task, self.object).ok().map(python::str)
                }
                name => task.value(name).map(python::str),
            })
        };
        Ok(Question { text, images })
    }

    fn is_file(&self) -> bool {
        self.is("Image") || self.object.value_type.as_deref() == Some("url")
    }

    fn is(&self, tag: &str) -> bool {
        self.object.tag.eq_ignore_ascii_case(tag)
    }

    /// Returns what the object shows of a task: as text, and as images for a model that sees.
    fn content(
        &self,
        project: &Project,
        task: &Task,
        asking: &Asking<'_>,
    ) -> anyhow::Result<(String, Vec<String>)> {
        if let Some(text) = constant_text(self.object) {
            return Ok((text.to_owned(), Vec::new()));
        }
        let value = shown_value(task, self.object)?;
        if self.is("Image") {
            return images(project, task, value, asking);
        }
        let text = match value {
            Value::String(url) if self.is_file() => text_of(&project.local_path(task, url)?)?,
            value if self.is("Paragraphs") => python::json_dumps(value),
            value => python::str(value).into_owned(),
        };
        Ok((text, Vec::new()))
    }
}

fn images(
    project: &Project,
    task: &Task,
    value: &Value,
    asking: &Asking<'_>,
) -> anyhow::Result<(String, Vec<String>)> {
    let urls = match value {
        Value::Array(urls) => urls.as_slice(),
        url => std::slice::from_ref(url),
    };
    let (mut texts, mut images) = (Vec::new(), Vec::new());
    for url in urls.iter().filter_map(Value::as_str) {
        let path = project.local_path(task, url)?;
        match asking.endpoint {
            Endpoint::Chat => images.push(asking.images.data_url(&path)?),
            Endpoint::Generation => {
                let text = asking.images.text(&path, asking.deadline.remaining());
                let text = text.context("WATSONX_ENDPOINT=chat would send the image itself")?;
                texts.push(text.trim_end().to_owned());
            }
        }
    }
    Ok((texts.join("\n"), images))
}

/// Reads a file as text.
fn text_of(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_TEXT_BYTES)
        .read_to_string(&mut text)?;
    Ok(text)
}

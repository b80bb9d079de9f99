//! The question about a task.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
};

use label_studio_ml::{
    Project, Task, Value,
    anyhow::{self, bail},
    json,
    sdk::python::fill_template,
};
use label_studio_services::Deadline;
use label_studio_vision::llm::LlmImages;

use crate::{
    Options, ProviderArgs, StructuredOutput,
    content::{Content, MediaReader},
    outputs::Outputs,
    structured,
};

/// Longest text that is put into a template, counted twice where only some of its fields are known.
const MAX_BYTES: usize = 64 << 20;

/// The parts of a question that all tasks of a request share.
pub(crate) struct Question<'a> {
    pub(crate) options: &'a Options,
    pub(crate) images: &'a LlmImages,
    pub(crate) provider: &'a ProviderArgs,
    pub(crate) model: &'a str,
    pub(crate) outputs: &'a Outputs<'a>,
    pub(crate) prompt: &'a str,
    pub(crate) deadline: Deadline,
}

impl Question<'_> {
    /// Returns the body of a chat request about a task.
    pub(crate) fn body(&self, project: &Project, task: &Task) -> anyhow::Result<Value> {
        let reader = MediaReader {
            media: &self.options.media,
            images: self.images,
            model: self.model,
            deadline: self.deadline,
        };
        let content = Content::load(project, task, self.outputs.object, &reader)?;
        let mut text = self.text(&content, task)?;
        let mut body = json!({
            "model": self.model,
            "n": self.provider.num_responses,
            "temperature": self.provider.chat.temperature,
        });
        match self.options.prompt.structured_output {
            StructuredOutput::Off => {}
            StructuredOutput::JsonSchema => {
                body["response_format"] = structured::response_format(self.outputs, task);
            }
            StructuredOutput::JsonObject => {
                text.push_str(&structured::instructions(self.outputs, task));
                body["response_format"] = json!({ "type": "json_object" });
            }
        }
        if let Some(n_tokens) = self.options.limits.max_answer_tokens {
            body["max_tokens"] = n_tokens.into();
        }
        body["messages"] = self.messages(text, content.parts);
        if let Value::Object(fields) = &mut body {
            for (name, value) in &self.options.limits.extra_body {
                if value.is_null() {
                    fields.remove(name);
                } else {
                    fields.insert(name.clone(), value.clone());
                }
            }
        }
        Ok(body)
    }

    fn text(&self, content: &Content<'_>, task: &Task) -> anyhow::Result<String> {
        let labels = self.outputs.labels_text(task);
        let options = &self.options.prompt.template;
        let filling = Filling::default();
        let text = if options.use_internal_prompt_template {
            let text = content.text()?;
            fill_template(&options.prompt.prompt_template, |name| {
                filling.put_in(Ok(match name {
                    "text" => Some(Cow::Borrowed(&*text)),
                    "prompt" => Some(Cow::Borrowed(self.prompt)),
                    "labels" => Some(Cow::Borrowed(&*labels)),
                    _ => None,
                }))
            })
        } else {
            fill_template(self.prompt, |name| {
                filling.put_in(match name {
                    "labels" => Ok(Some(Cow::Borrowed(&*labels))),
                    _ => content.field(name),
                })
            })
        };
        filling.failure.into_inner().map_or(Ok(text), Err)
    }

    fn messages(&self, text: String, parts: Vec<Value>) -> Value {
        let content = if parts.is_empty() {
            Value::from(text)
        } else {
            let text = json!({ "type": "text", "text": text });
            [text].into_iter().chain(parts).collect()
        };
        let system = self.options.prompt.system_prompt.as_ref();
        let system = system.filter(|prompt| !prompt.trim().is_empty());
        let system = system.map(|prompt| json!({ "role": "system", "content": prompt }));
        let question = json!({ "role": "user", "content": content });
        system.into_iter().chain([question]).collect()
    }
}

/// Values of a template's fields.
#[derive(Default)]
struct Filling {
    n_bytes: Cell<usize>,
    failure: RefCell<Option<anyhow::Error>>,
}

impl Filling {
    /// Returns a value, unless it cannot be had or is too much: a short prompt can name a long text often.
    fn put_in<'v>(&self, value: anyhow::Result<Option<Cow<'v, str>>>) -> Option<Cow<'v, str>> {
        let value = value.and_then(|value| {
            let n_bytes = value.as_ref().map_or(0, |value| value.len());
            self.n_bytes.set(self.n_bytes.get() + n_bytes);
            if self.n_bytes.get() > MAX_BYTES {
                bail!(
                    "the question is longer than {MAX_BYTES} bytes: the prompt repeats a long field"
                );
            }
            Ok(value)
        });
        value.unwrap_or_else(|error| {
            self.failure.borrow_mut().get_or_insert(error);
            Some(Cow::Borrowed(""))
        })
    }
}

//! What the model is given about a task.

use std::borrow::Cow;

use label_studio_ml::{
    Project, Task, Value, anyhow,
    sdk::python::{self, fill_template},
};
use label_studio_services::TemplateArgs;

use crate::tags::Tags;

/// What all tasks of a request are asked.
pub(crate) struct Question<'a> {
    pub(crate) args: &'a TemplateArgs,
    pub(crate) tags: Tags<'a>,
    /// The text of a task alone is continued without one.
    pub(crate) prompt: Option<&'a str>,
}

impl Question<'_> {
    /// Returns the text about a task.
    pub(crate) fn text(&self, project: &Project, task: &Task) -> anyhow::Result<String> {
        let object = self.tags.object;
        let Some(prompt) = self.prompt else {
            return Ok(project.text_of(object, task)?);
        };
        let is_internal = self.args.use_internal_prompt_template;
        let is_shown = prompt.contains(&format!("{{{}}}", object.value_name));
        // A template may ask about other fields only.
        let text = if is_internal || is_shown {
            project.text_of(object, task)?
        } else {
            String::new()
        };
        let no_labels = || Cow::from(python::repr(&Value::Null));
        Ok(if is_internal {
            fill_template(&self.args.prompt.prompt_template, |name| match name {
                "text" => Some(Cow::from(&*text)),
                "prompt" => Some(Cow::from(prompt)),
                "labels" => Some(no_labels()),
                _ => None,
            })
        } else {
            fill_template(prompt, |name| match name {
                name if name == object.value_name => Some(Cow::from(&*text)),
                "labels" => Some(no_labels()),
                name => task.value(name).map(python::str),
            })
        })
    }
}

//! The tags that a text comes from and an answer goes to.

use label_studio_ml::{Control, LabelConfig, Object, anyhow};
use label_studio_services::prompt_pair;

/// The tags that a text comes from and an answer goes to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tags<'a> {
    pub(crate) object: &'a Object,
    pub(crate) answer: &'a Control,
    /// What a prompt is typed into.
    pub(crate) prompt: Option<&'a Control>,
}

impl<'a> Tags<'a> {
    /// Finds a `TextArea` for a prompt, whose name starts with `prefix`, and another one on the same text; else the first
    /// `TextArea` on a text.
    pub(crate) fn find(label_config: &'a LabelConfig, prefix: &str) -> anyhow::Result<Self> {
        if let Ok(prompt) = prompt_pair(label_config, prefix, &["Text"]) {
            let answer = label_config.first_pair_where(
                "TextArea",
                &["Text"],
                |control| control.name != prompt.control.name,
                |object| object.name == prompt.object.name,
            );
            if let Ok(answer) = answer {
                return Ok(Self {
                    object: prompt.object,
                    answer: answer.control,
                    prompt: Some(prompt.control),
                });
            }
        }
        let pair = label_config.first_pair("TextArea", "Text")?;
        Ok(Self {
            object: pair.object,
            answer: pair.control,
            prompt: None,
        })
    }
}

//! Flags of backends that label by prompt.

use std::{fs, io, path::Path};

use clap::{ArgAction, Args, builder::BoolishValueParser};

const PROMPT_TEMPLATE: &str =
    "**Source Text**:\n\n\"{text}\"\n\n**Task Directive**:\n\n\"{prompt}\"";

/// How a question is made from a prompt and a task
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Prompt")]
pub struct PromptArgs {
    /// Start of the name of the `TextArea` that holds the prompt, in any case
    #[arg(long, env = "PROMPT_PREFIX", default_value = "prompt")]
    pub prompt_prefix: String,

    /// Template of the question, with the fields {text}, {prompt} and, where there are choices, {labels}
    #[arg(long, env = "PROMPT_TEMPLATE", default_value = PROMPT_TEMPLATE, hide_default_value = true)]
    pub prompt_template: String,

    /// Prompt, or file that holds it, for projects without a typed one
    #[arg(long, env = "DEFAULT_PROMPT")]
    pub default_prompt: Option<String>,
}

/// How a question is made, by a template of the backend or of the annotator
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Prompt")]
pub struct TemplateArgs {
    /// How a question is made.
    #[command(flatten)]
    pub prompt: PromptArgs,

    /// Put text and prompt into the prompt template; if not, the prompt itself is the template, the default one as well
    #[arg(long, env = "USE_INTERNAL_PROMPT_TEMPLATE", default_value = "true", action = ArgAction::Set,
          value_parser = BoolishValueParser::new())]
    pub use_internal_prompt_template: bool,
}

/// Why the default prompt cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the default prompt from {path}")]
pub struct DefaultPromptError {
    /// The file that `DEFAULT_PROMPT` names.
    pub path: String,
    /// The error of the operating system.
    pub source: io::Error,
}

impl PromptArgs {
    /// Returns the default prompt, from the file if it names one; `None` when there is none but white space.
    pub fn default_prompt(&self) -> Result<Option<String>, DefaultPromptError> {
        let Some(text) = &self.default_prompt else {
            return Ok(None);
        };
        // A prompt may be longer than any path, or hold what no path holds: then it is no file.
        let path = text.trim();
        let text = if Path::new(path).is_file() {
            fs::read_to_string(path).map_err(|source| DefaultPromptError {
                path: path.to_owned(),
                source,
            })?
        } else {
            text.clone()
        };
        Ok(Some(text).filter(|text| !text.trim().is_empty()))
    }
}

impl TemplateArgs {
    /// Returns the default prompt, or `None` with the internal template, which only a prompt that was typed is put into;
    /// the log says so.
    pub fn default_prompt(&self) -> Result<Option<String>, DefaultPromptError> {
        let prompt = self.prompt.default_prompt()?;
        if prompt.is_some() && self.use_internal_prompt_template {
            tracing::error!(
                "DEFAULT_PROMPT is not used with the internal template, which puts a prompt that was typed into \
                 PROMPT_TEMPLATE; set USE_INTERNAL_PROMPT_TEMPLATE=0, or remove DEFAULT_PROMPT"
            );
            return Ok(None);
        }
        Ok(prompt)
    }
}

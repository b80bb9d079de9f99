//! The typed text, and its control and data field.

use label_studio_ml::{
    Control, LabelConfig, Value,
    anyhow::{self, Context, ensure},
    sdk::Client,
};

const TEXT: &str = "text";
const AUDIO: &str = "audio";

/// The controls and data fields of a project.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    pub(crate) control: Option<&'a Control>,
    pub(crate) text: &'a str,
    pub(crate) audio: &'a str,
}

impl<'a> Fields<'a> {
    /// Finds the first `TextArea` on an `Audio` and the data fields that both show; `text` and `audio` without one.
    pub(crate) fn find(label_config: &'a LabelConfig) -> Self {
        let Ok(pair) = label_config.first_pair("TextArea", "Audio") else {
            return Self {
                control: None,
                text: TEXT,
                audio: AUDIO,
            };
        };
        let shown = pair
            .control
            .attr("value")
            .and_then(|value| value.strip_prefix('$'));
        Self {
            control: Some(pair.control),
            text: shown.unwrap_or(TEXT),
            audio: pair.object.variable().unwrap_or(AUDIO),
        }
    }

    /// Returns the text that was typed into the control; of any region when the label config has no such control.
    pub(crate) fn typed<'r>(&self, regions: &'r [Value]) -> Option<&'r str> {
        let region = match self.control {
            Some(control) => regions
                .iter()
                .find(|region| region["from_name"] == control.name.as_str()),
            None => regions.first(),
        };
        match &region?["value"]["text"] {
            Value::String(text) => Some(text),
            texts => texts.get(0)?.as_str(),
        }
    }
}

/// Returns the id of the user, from the interactive context.
///
/// Label Studio's own editor sends none (seen up to 1.23.2); then the user is the owner of the key that
/// `client` holds.
pub(crate) fn user_id(context: &Value, client: Option<&Client>) -> anyhow::Result<String> {
    match context.get("user_id") {
        Some(Value::Number(id)) => Ok(id.to_string()),
        Some(Value::String(id)) => Ok(id.clone()),
        Some(_) => {
            anyhow::bail!("user_id of the interactive context is neither a number nor a text")
        }
        None => {
            let client = client.context("the interactive context has no user_id")?;
            let owner = client.whoami().context(
                "the interactive context has no user_id, and Label Studio does not say whose key this is",
            )?;
            Ok(owner.id.to_string())
        }
    }
}

/// Fails unless a text can be spoken.
pub(crate) fn check_text(text: &str, max_chars: usize) -> anyhow::Result<()> {
    ensure!(!text.trim().is_empty(), "there is no text to speak");
    let n_chars = text.chars().count();
    ensure!(
        n_chars <= max_chars,
        "the text has {n_chars} characters; {max_chars} are spoken at most (MAX_TEXT_CHARS)"
    );
    Ok(())
}

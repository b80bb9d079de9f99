//! One model version per prompt.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use label_studio_ml::{Project, anyhow, model_version::bump, serde_json};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const HISTORY: &str = "model_version_prompts";
/// Prompts whose versions are remembered; older ones get a new version when they return.
const MAX_PROMPTS: usize = 100;

/// The prompts that a project has had.
#[derive(Debug, Default, Serialize, Deserialize)]
struct History {
    /// The highest version so far.
    latest: String,
    /// Versions and hashes of their prompts, oldest first.
    prompts: Vec<(String, String)>,
}

/// Stores a prompt under `key` and sets the version that belongs to it. A prompt that was used before gets its earlier
/// version back, so that Label Studio finds the predictions that were made with it.
///
/// `in_use` is what predictions were made with so far, if there were any: the first prompt takes the version that it
/// finds only when there were none. Returns whether the prompt is another one than before.
pub(crate) fn remember(
    project: &Project,
    key: &str,
    prompt: &str,
    in_use: Option<&str>,
) -> anyhow::Result<bool> {
    let stored = project.get(key)?;
    if stored.as_deref() == Some(prompt) {
        return Ok(false);
    }
    let current = project.model_version()?;
    let mut history: History = project
        .get(HISTORY)?
        .and_then(|json| serde_json::from_str(&json).ok())
        .unwrap_or_default();
    if history.prompts.is_empty() {
        history.latest.clone_from(&current);
        if let Some(in_use) = stored.as_deref().or(in_use) {
            history.prompts.push((current, hash(in_use)));
        }
    }
    let hash = hash(prompt);
    let known = history.prompts.iter().find(|(_, known)| *known == hash);
    let version = if let Some((version, _)) = known {
        version.clone()
    } else {
        if !history.prompts.is_empty() {
            history.latest = bump(&history.latest);
        }
        history.prompts.push((history.latest.clone(), hash));
        history.latest.clone()
    };
    let n_forgotten = history.prompts.len().saturating_sub(MAX_PROMPTS);
    history.prompts.drain(..n_forgotten);
    project.set(HISTORY, &serde_json::to_string(&history)?)?;
    project.set(key, prompt)?;
    project.set_model_version(&version)?;
    Ok(true)
}

fn hash(prompt: &str) -> String {
    STANDARD_NO_PAD.encode(Sha256::digest(prompt))
}

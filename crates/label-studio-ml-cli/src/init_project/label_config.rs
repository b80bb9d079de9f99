//! The label config of the new project.

use std::{fs, path::Path};

use anyhow::Context;

use super::InitProjectArgs;
use crate::checkout::Checkout;

/// Heading of the section that a README shows the label config in.
const HEADING: &str = "## label config";

impl InitProjectArgs {
    /// Returns what the label config is called, and its text.
    pub(super) fn label_config(&self) -> anyhow::Result<(String, String)> {
        if let Some(path) = &self.label_config {
            let text = fs::read_to_string(path)
                .with_context(|| format!("cannot read the label config {}", path.display()))?;
            return Ok((stem(path), text));
        }
        let backend = self.backend.as_deref().context("no backend is given")?;
        let folder = if backend.is_dir() {
            backend.to_owned()
        } else {
            let folder = Checkout::named(self.sdk_path.as_deref())?
                .examples()
                .join(backend);
            anyhow::ensure!(
                folder.is_dir(),
                "there is no folder or ready backend {}; `label-studio-ml list` names those",
                backend.display()
            );
            folder
        };
        let readme = folder.join("README.md");
        let text = fs::read_to_string(&readme)
            .with_context(|| format!("cannot read {}", readme.display()))?;
        let label_config = in_readme(&text).with_context(|| {
            format!(
                "{} shows no label config (a block of xml with a <View>); give one with --label-config",
                readme.display()
            )
        })?;
        let folder = folder.canonicalize().unwrap_or(folder);
        Ok((stem(&folder), label_config.to_owned()))
    }
}

fn stem(path: &Path) -> String {
    let name = path.file_stem().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Returns the first label config below the heading for it, else the first one.
fn in_readme(text: &str) -> Option<&str> {
    let section = text.to_ascii_lowercase().find(HEADING);
    let below = section
        .and_then(|start| text.get(start..))
        .and_then(first_block);
    below.or_else(|| first_block(text))
}

/// Returns the first block of XML with a view.
fn first_block(text: &str) -> Option<&str> {
    let blocks = text.split("\n```xml").skip(1);
    let contents = blocks.filter_map(|rest| {
        let (_, content) = rest.split_once('\n')?;
        Some(content.split_once("\n```")?.0)
    });
    contents
        .map(str::trim)
        .find(|block| block.contains("<View"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_config_of_a_readme_is_that_below_its_heading() {
        let example = "# b\n```xml\n<View>1</View>\n```\n## Label config\n```xml\n<Label/>\n```\n\
                       ```xml \n<View>\n  2</View>\n```\n```xml\n<View>3</View>\n```\n";
        assert_eq!(in_readme(example), Some("<View>\n  2</View>"));
        assert_eq!(in_readme("```sh\nls\n```\n## Label config\nnone"), None);
        let elsewhere = "# b\n## Label config\nsee above\n## More\n\n```xml\n<View/>\n```\n";
        assert_eq!(in_readme(elsewhere), Some("<View/>"));
    }
}

//! The part of the command line that the Python package implements.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
    process::ExitCode,
};

use anyhow::ensure;

/// Python, for those commands that need it.
pub trait Python {
    /// Returns the interpreter of this process, for a process of its own.
    fn executable(&self) -> &Path;

    /// Imports a script and returns the names of its model classes.
    fn model_classes(&self, script: &Path) -> anyhow::Result<Vec<String>>;

    /// Serves a Python backend: `target` is its folder, a script `path.py`, or one with a class, `path.py:Class`.
    fn start(&self, target: &OsStr, server_options: Vec<OsString>) -> anyhow::Result<ExitCode>;
}

/// A script and the model class in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ScriptAndClass<'a> {
    pub(crate) script: &'a str,
    pub(crate) class: Option<&'a str>,
}

impl<'a> ScriptAndClass<'a> {
    /// Reads `path.py` or `path.py:Class`. The colon of a Windows drive does not start a class.
    pub(crate) fn parse(text: &'a str) -> Self {
        match text.rsplit_once(':') {
            Some((script, class)) if is_identifier(class) && !script.is_empty() => Self {
                script,
                class: Some(class),
            },
            _ => Self {
                script: text,
                class: None,
            },
        }
    }
}

/// Returns whether a text is a Python identifier.
pub(crate) fn is_identifier(text: &str) -> bool {
    let is_first = |letter: char| letter.is_alphabetic() || letter == '_';
    text.starts_with(is_first)
        && text
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_')
}

/// Returns whether a folder holds a Python backend.
pub(crate) fn is_backend(folder: &Path) -> bool {
    ["_wsgi.py", "model.py"]
        .iter()
        .any(|file| folder.join(file).is_file())
}

/// Returns whether a target of `start` is a Python script, with or without a class.
pub(crate) fn is_script(target: &Path) -> bool {
    script_of(target).extension().is_some_and(|end| end == "py")
}

/// Checks that a target of `start` exists if it is a script; folders are not checked.
pub(crate) fn check_script(target: &Path) -> anyhow::Result<()> {
    let script = script_of(target);
    ensure!(
        !is_script(target) || script.is_file(),
        "there is no script {}",
        script.display()
    );
    Ok(())
}

fn script_of(target: &Path) -> &Path {
    target.to_str().map_or(target, |target| {
        Path::new(ScriptAndClass::parse(target).script)
    })
}

#[cfg(test)]
mod tests {
    use super::ScriptAndClass;

    #[test]
    fn a_class_is_after_the_last_colon() {
        for (text, script, class) in [
            ("model.py", "model.py", None),
            ("a/model.py:My_Model2", "a/model.py", Some("My_Model2")),
            ("C:\\a\\model.py", "C:\\a\\model.py", None),
            ("C:\\model.py:Été", "C:\\model.py", Some("Été")),
            ("model.py:", "model.py:", None),
            ("model.py:2nd", "model.py:2nd", None),
            (":Model", ":Model", None),
        ] {
            assert_eq!(
                ScriptAndClass::parse(text),
                ScriptAndClass { script, class },
                "{text}"
            );
        }
    }
}

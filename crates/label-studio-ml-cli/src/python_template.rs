//! The files of a new Python backend, from `python_template/`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};

use crate::python::{self, Python, ScriptAndClass};

/// Names of the backend, its module and its model class in the template.
const TEMPLATE_NAME: &str = "my_backend";
const TEMPLATE_IMPORT: &str = "from model import NewModel";
const TEMPLATE_CLASS: &str = "NewModel";

const FILES: &[(&str, &str)] = &[
    (
        ".dockerignore",
        include_str!("../python_template/.dockerignore"),
    ),
    ("Dockerfile", include_str!("../python_template/Dockerfile")),
    ("README.md", include_str!("../python_template/README.md")),
    ("_wsgi.py", include_str!("../python_template/_wsgi.py")),
    (
        "docker-compose.yml",
        include_str!("../python_template/docker-compose.yml"),
    ),
    (
        "requirements-base.txt",
        include_str!("../python_template/requirements-base.txt"),
    ),
    (
        "requirements-test.txt",
        include_str!("../python_template/requirements-test.txt"),
    ),
    (
        "requirements.txt",
        include_str!("../python_template/requirements.txt"),
    ),
];
const MODEL: &str = include_str!("../python_template/model.py");
const TEST_OF_MODEL: &str = include_str!("../python_template/test_api.py");
const TEST_OF_SCRIPT: &str = include_str!("../python_template/test_script.py");

/// Files beside a script that replace those of the template.
const FILES_OF_SCRIPT: &[&str] = &[
    "requirements.txt",
    "requirements-base.txt",
    "requirements-test.txt",
    "test_api.py",
    "README.md",
];

/// The script with the model of a new backend.
pub(crate) struct Script {
    path: PathBuf,
    module: String,
    class: String,
}

impl Script {
    /// Finds the model class of `path.py` or `path.py:Class`.
    pub(crate) fn find(text: &str, python: Option<&dyn Python>) -> anyhow::Result<Self> {
        let ScriptAndClass { script, class } = ScriptAndClass::parse(text);
        let class = match (class, python) {
            (Some(class), _) => class.to_owned(),
            (None, Some(python)) => only_class(script, python)?,
            (None, None) => bail!(
                "which class of {script} is the model? Name it: --script {script}:MyModel; or install the Python \
                 package (pip install CHECKOUT/crates/label-studio-ml-python), whose `label-studio-ml create` finds it"
            ),
        };
        let path = PathBuf::from(script);
        ensure!(path.is_file(), "there is no script {script}");
        let module = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default()
            .to_owned();
        ensure!(
            python::is_identifier(&module),
            "Python cannot import {script}: {module:?} is no name of a module; rename the file"
        );
        Ok(Self {
            path,
            module,
            class,
        })
    }
}

/// Writes the files of a backend called `name` into `folder`, for a script or for the template's own model.
pub(crate) fn write(folder: &Path, name: &str, script: Option<&Script>) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let service = service_name(name);
    let import = script.map(|script| format!("from {} import {}", script.module, script.class));
    let fill = |text: &str| {
        let text = text.replace(TEMPLATE_NAME, &service);
        match (script, &import) {
            (Some(script), Some(import)) => text
                .replace(TEMPLATE_IMPORT, import)
                .replace(TEMPLATE_CLASS, &script.class)
                .replace("`model.py`", &format!("`{}.py`", script.module)),
            _ => text,
        }
    };
    for (path, text) in FILES {
        fs::write(folder.join(path), fill(text))?;
    }
    let Some(script) = script else {
        fs::write(folder.join("model.py"), MODEL)?;
        fs::write(folder.join("test_api.py"), TEST_OF_MODEL)?;
        return Ok(());
    };
    fs::write(folder.join("test_api.py"), fill(TEST_OF_SCRIPT))?;
    let beside = script.path.parent().unwrap_or(Path::new(""));
    let mut to_copy = vec![script.path.clone()];
    to_copy.extend(FILES_OF_SCRIPT.iter().map(|name| beside.join(name)));
    for source in to_copy.iter().filter(|source| source.is_file()) {
        let file_name = source.file_name().unwrap_or_default();
        fs::copy(source, folder.join(file_name))
            .with_context(|| format!("cannot copy {}", source.display()))?;
    }
    Ok(())
}

/// Returns whether `folder` holds a backend that [`write`] wrote.
pub(crate) fn is_generated(folder: &Path) -> bool {
    let wsgi = fs::read_to_string(folder.join("_wsgi.py")).unwrap_or_default();
    wsgi.contains("from label_studio_ml.api import init_app")
}

fn only_class(script: &str, python: &dyn Python) -> anyhow::Result<String> {
    ensure!(Path::new(script).is_file(), "there is no script {script}");
    let mut classes = python.model_classes(Path::new(script))?;
    ensure!(
        classes.len() < 2,
        "{script} has several model classes: {}; name one: --script {script}:{}",
        classes.join(", "),
        classes[0]
    );
    classes
        .pop()
        .with_context(|| format!("{script} has no model: no class in it is a LabelStudioMLBase"))
}

/// Returns a name for the container: lower-case letters, digits, hyphens and underscores.
fn service_name(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|letter| match letter.to_ascii_lowercase() {
            letter if letter.is_ascii_alphanumeric() || letter == '_' => letter,
            _ => '-',
        })
        .collect();
    let name = name.trim_matches(['-', '_']);
    if name.is_empty() { "backend" } else { name }.to_owned()
}

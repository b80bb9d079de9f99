//! Keeps trained classifiers as JSON files, one per project.

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use label_studio_ml::{
    anyhow::{self, Context, ensure},
    serde_json,
};
use serde::{Deserialize, Serialize};

use crate::{classifier::TextClassifier, logistic_regression::LogisticRegression, tf_idf::TfIdf};

/// File in the folder of a version.
const VERSION_FILE: &str = "classifier.json";

/// A folder of trained classifiers.
#[derive(Debug, Clone)]
pub struct Storage {
    folder: PathBuf,
}

/// What a file holds. The weights lie n-gram by n-gram: one number for two classes, else one per
/// class.
#[derive(Serialize, Deserialize)]
struct Document<Text, Texts, Numbers> {
    labels: Vec<Text>,
    classes: Vec<Text>,
    vocabulary: Texts,
    idf: Numbers,
    weights: Numbers,
    intercepts: Numbers,
    #[serde(rename = "C")]
    c: f64,
    trained_at: u64,
    n_samples: usize,
}

impl Storage {
    /// Creates a storage in the folder `sklearn_text_classifier` of `model_dir`; the first save
    /// makes the folder.
    pub fn new(model_dir: &Path) -> Self {
        Self {
            folder: model_dir.join("sklearn_text_classifier"),
        }
    }

    /// Returns the file of a project. Characters of the id that file names cannot have are written
    /// as `%` and a number.
    pub fn path(&self, project_id: &str) -> PathBuf {
        let mut name = String::new();
        for c in project_id.chars() {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') {
                name.push(c);
            } else {
                name.extend(["%", &u32::from(c).to_string(), "%"]);
            }
        }
        self.folder.join(format!("{name}.json"))
    }

    /// Reads a project's classifier; `None` when none was saved.
    pub fn load(&self, project_id: &str) -> anyhow::Result<Option<TextClassifier>> {
        read(&self.path(project_id))
    }

    /// Saves a project's classifier. A reader sees the old one or the new one, whole.
    pub fn save(&self, project_id: &str, classifier: &TextClassifier) -> anyhow::Result<()> {
        let path = self.path(project_id);
        self.replace(&path, classifier)
            .with_context(|| format!("cannot save {}", path.display()))
    }

    fn replace(&self, path: &Path, classifier: &TextClassifier) -> anyhow::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        write(file.as_file_mut(), classifier)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }
}

/// Reads the classifier in the folder of a version.
pub fn load_version(folder: &Path) -> anyhow::Result<TextClassifier> {
    let path = folder.join(VERSION_FILE);
    read(&path)?.with_context(|| format!("there is no {}", path.display()))
}

/// Writes a classifier into the folder of a version that no reader knows yet.
pub fn save_version(folder: &Path, classifier: &TextClassifier) -> anyhow::Result<()> {
    let path = folder.join(VERSION_FILE);
    let save = || write(&mut File::create_new(&path)?, classifier);
    save().with_context(|| format!("cannot save {}", path.display()))
}

fn read(path: &Path) -> anyhow::Result<Option<TextClassifier>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot open {}", path.display()));
        }
    };
    let document: Document<String, Vec<String>, Vec<f64>> =
        serde_json::from_reader(BufReader::new(file))
            .with_context(|| format!("{} is not a trained classifier", path.display()))?;
    let classifier = document.into_classifier();
    Ok(Some(classifier.with_context(|| {
        format!("{} is not a trained classifier", path.display())
    })?))
}

fn write(file: &mut File, classifier: &TextClassifier) -> anyhow::Result<()> {
    let mut writer = BufWriter::new(file);
    serde_json::to_writer(&mut writer, &Document::of(classifier))?;
    writer.flush()?;
    Ok(())
}

impl<'a> Document<&'a str, Vec<&'a str>, &'a [f64]> {
    fn of(classifier: &'a TextClassifier) -> Self {
        Self {
            labels: classifier.labels.iter().map(String::as_str).collect(),
            classes: classifier.classes.iter().map(String::as_str).collect(),
            vocabulary: classifier.tf_idf.vocabulary(),
            idf: classifier.tf_idf.idf(),
            weights: classifier.regression.weights(),
            intercepts: classifier.regression.intercepts(),
            c: classifier.c,
            trained_at: classifier.trained_at,
            n_samples: classifier.n_samples,
        }
    }
}

impl Document<String, Vec<String>, Vec<f64>> {
    fn into_classifier(self) -> anyhow::Result<TextClassifier> {
        let n_outputs = if self.classes.len() == 2 {
            1
        } else {
            self.classes.len()
        };
        ensure!(
            self.classes.len() > 1,
            "it knows {} classes",
            self.classes.len()
        );
        ensure!(
            self.intercepts.len() == n_outputs,
            "it has {} intercepts",
            self.intercepts.len()
        );
        ensure!(
            self.idf.len() == self.vocabulary.len(),
            "its idf does not fit its vocabulary"
        );
        ensure!(
            self.weights.len() == self.vocabulary.len() * n_outputs,
            "its weights do not fit its vocabulary"
        );
        Ok(TextClassifier {
            labels: self.labels,
            classes: self.classes,
            tf_idf: TfIdf::from_parts(self.vocabulary, self.idf),
            regression: LogisticRegression::from_parts(self.weights, self.intercepts),
            c: self.c,
            trained_at: self.trained_at,
            n_samples: self.n_samples,
        })
    }
}

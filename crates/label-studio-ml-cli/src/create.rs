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
    checkout::Checkout,
    python::Python,
    python_template::{self, Script},
    shell::quoted,
    template::{self, Sdk},
    terminal,
};

const EXAMPLES: &str = "\
Examples:
  label-studio-ml create my_backend
  label-studio-ml create my_backend --root-dir ~/backends
  label-studio-ml create my_backend --force       replace what an earlier create wrote
  label-studio-ml create my_backend --script model.py:MyModel    a backend for a model in Python

The new folder holds a model that already predicts and trains, its tests, a Dockerfile and a README.";

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

    /// Build the backend with a checkout of label-studio-ml, to work on both
    ///
    /// A program that was built in a checkout uses that checkout by default, as long as it exists. The path is written
    /// to .cargo/config.toml, which stays on this machine.
    #[arg(long, value_name = "DIR")]
    sdk_path: Option<PathBuf>,

    /// Depend on another git repository of label-studio-ml, such as a fork
    #[arg(long, value_name = "URL")]
    sdk_git: Option<String>,

    /// Commit or tag of the git repository to depend on [default: its default branch]
    #[arg(long, value_name = "REV")]
    sdk_rev: Option<String>,

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
        self.write(&target, |folder| Ok(template::write(folder, &name, &sdk)?))?;
        let is_member = settle_workspace(&target)?;
        if is_member && let Some(checkout) = &sdk.checkout {
            template::depend_on_path(&target, &sdk, checkout)?;
        }
        terminal::note(&describe(&sdk, is_member));
        let target = quoted(&target.to_string_lossy());
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
        let target = quoted(&target.to_string_lossy());
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

    /// Returns where the backend takes `label-studio-ml` from.
    fn sdk(&self) -> anyhow::Result<Sdk> {
        let checkout = match (&self.sdk_path, &self.sdk_git) {
            (Some(path), _) => Some(Checkout::at(path).with_context(|| {
                format!("{} is not a checkout of label-studio-ml", path.display())
            })?),
            (None, Some(_)) => None,
            (None, None) => Checkout::of_program(),
        };
        Ok(Sdk {
            repository: self
                .sdk_git
                .clone()
                .unwrap_or_else(|| env!("CARGO_PKG_REPOSITORY").to_owned()),
            rev: self.sdk_rev.clone(),
            checkout,
        })
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

/// Says where the new backend takes `label-studio-ml` from.
fn describe(sdk: &Sdk, is_member: bool) -> String {
    let repository = &sdk.repository;
    match &sdk.checkout {
        Some(checkout) if is_member => format!(
            "the backend depends on the checkout in {}, because it is a member of a workspace",
            checkout.root().display()
        ),
        Some(checkout) => format!(
            "on this machine the backend is built with the checkout in {} (.cargo/config.toml); its Dockerfile and other \
             machines use {repository}",
            checkout.root().display()
        ),
        None => format!("the backend depends on {repository}; --sdk-path takes a checkout instead"),
    }
}

/// Makes the new package its own workspace if it lies inside one of which it is not a member; cargo would refuse to
/// build it otherwise. Returns whether it is a member of a workspace around it.
fn settle_workspace(target: &Path) -> anyhow::Result<bool> {
    let manifest = target.join("Cargo.toml");
    let Some(workspace) = cargo::workspace_of(&manifest) else {
        let comment = "# This package is not a member of the workspace that its folder lies in.";
        let text = fs::read_to_string(&manifest)?;
        fs::write(&manifest, format!("{text}\n{comment}\n[workspace]\n"))?;
        return Ok(false);
    };
    Ok(workspace.canonicalize()? != manifest.canonicalize()?)
}

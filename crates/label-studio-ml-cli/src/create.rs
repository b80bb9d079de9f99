//! `label-studio-ml create`: a new backend from the template.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail, ensure};
use clap::Args;

use crate::{
    backend_name::BackendName,
    cargo, cli,
    template::{self, Dependency},
};

const EXAMPLES: &str = "\
Examples:
  label-studio-ml create my_backend
  label-studio-ml create my_backend --root-dir ~/backends
  label-studio-ml create my_backend --force       replace what an earlier create wrote

The new folder has a model that already predicts and trains, its tests, a Dockerfile and a README:
  cd my_backend && cargo test";

/// Create a new backend from a template
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CreateArgs {
    /// Name of the backend, which becomes its folder, package and program
    name: BackendName,

    /// Folder to create the backend in
    #[arg(long, value_name = "DIR", default_value = ".")]
    root_dir: PathBuf,

    /// Replace a backend that was created earlier
    #[arg(long)]
    force: bool,

    /// Depend on a checkout of label-studio-ml instead of its release, for those who change both
    ///
    /// A program that runs from the target folder of a checkout takes that checkout by itself.
    #[arg(long, value_name = "DIR")]
    sdk_path: Option<PathBuf>,

    #[arg(long, visible_alias = "from", hide = true)]
    script: Option<PathBuf>,
}

impl CreateArgs {
    pub(crate) fn run(&self, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
        ensure!(
            self.script.is_none(),
            "--script is for Python models; they stay as they are, and the Python package \
             (pip install label-studio-ml) creates and starts their backends"
        );
        let target = match self.root_dir.to_str() {
            Some(".") => PathBuf::from(self.name.as_str()),
            _ => self.root_dir.join(self.name.as_str()),
        };
        check_target(&target, self.force)?;
        let sdk = self.sdk()?;
        let dependency = sdk
            .as_deref()
            .map_or(Dependency::Release, Dependency::Folder);
        self.write(&target, &dependency)
            .with_context(|| format!("cannot create {}", target.display()))?;
        if let Some(sdk) = &sdk {
            cli::note(&format!(
                "the backend depends on the checkout in {}",
                sdk.display()
            ));
        }
        stand_alone(&target, sdk.as_deref())?;
        let target = target.display();
        writeln!(
            out,
            "created {target}\n\
             test it:  cd {target} && cargo test\n\
             serve it: label-studio-ml start {target}"
        )?;
        Ok(ExitCode::SUCCESS)
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
        Ok(program.and_then(|program| program.ancestors().skip(1).find_map(crate_of_checkout)))
    }

    /// Writes the files elsewhere first, so that a failure leaves everything as it was.
    fn write(&self, target: &Path, dependency: &Dependency<'_>) -> anyhow::Result<()> {
        fs::create_dir_all(&self.root_dir)?;
        let staging = tempfile::Builder::new()
            .prefix(".label-studio-ml-")
            .tempdir_in(&self.root_dir)?;
        let [new, old] = ["new", "old"].map(|name| staging.path().join(name));
        template::write(&new, &self.name, dependency)?;
        if !target.exists() {
            return Ok(fs::rename(&new, target)?);
        }
        fs::rename(target, &old)?;
        let Err(error) = fs::rename(&new, target) else {
            return Ok(());
        };
        if fs::rename(&old, target).is_err() {
            bail!(
                "its old files are now in {}: {error}",
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
        metadata.is_dir() && template::is_generated(target),
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

/// Keeps the new package out of a workspace around it that does not name it, which cargo would refuse to build.
///
/// A package that depends on a checkout starts with the checkout's lockfile, hence with versions known to work.
fn stand_alone(target: &Path, sdk: Option<&Path>) -> anyhow::Result<()> {
    let manifest = target.join("Cargo.toml");
    let workspace = cargo::workspace_of(&manifest);
    if workspace.is_none() {
        let comment = "# Keeps this package out of the workspace around it.";
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

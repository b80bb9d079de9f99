//! `label-studio-ml start`: builds a backend and runs it in place of this process.

use std::{
    ffi::{OsStr, OsString},
    io,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, ensure};
use clap::{Args, ValueHint};

use crate::{
    cargo::Build,
    python::{self, Python},
};

/// Modules in the current folder must not hide installed ones, so it is taken off the path.
const PYTHON_IMPORT: &str =
    "import sys; sys.path[:] = filter(None, sys.path); import label_studio_ml._internal._native";
/// Runs the command line of the Python package.
pub(crate) const PYTHON_MAIN: &str = "import sys; sys.path[:] = filter(None, sys.path); \
     sys.argv[0] = 'label-studio-ml'; from label_studio_ml.server import main; sys.exit(main())";

const EXAMPLES: &str = "\
Examples:
  label-studio-ml start my_backend
  label-studio-ml start my_backend --port 9091 --log-level DEBUG
  label-studio-ml start --features cuda examples/yolo
  label-studio-ml start my_backend --help         the backend's own options

All arguments after DIR are passed to the backend. The backend replaces this process: it receives
the signals, and its exit code is returned.";

/// Serve a backend, built first if it is a Rust one
#[derive(Debug, Args)]
#[command(
    after_help = EXAMPLES,
    override_usage = "label-studio-ml start [OPTIONS] <DIR> [SERVER OPTIONS]..."
)]
pub(crate) struct StartArgs {
    /// Folder that DIR is relative to
    #[arg(long, value_name = "DIR", default_value = ".")]
    root_dir: PathBuf,

    /// Build without optimisations: builds faster, runs slower
    #[arg(long)]
    dev: bool,

    /// Features of the backend's package to switch on, separated by commas
    #[arg(long, value_delimiter = ',')]
    features: Vec<String>,

    /// Python that runs Python backends; it must have the package label-studio-ml
    #[arg(long, env = "PYTHON", default_value = "python3", value_hint = ValueHint::CommandName)]
    python: PathBuf,

    // One argument, so that all options after the folder are passed to the backend, `--help` included.
    /// Folder of the backend, then options of the backend
    #[arg(
        value_name = "DIR",
        required = true,
        trailing_var_arg = true,
        value_hint = ValueHint::DirPath
    )]
    dir_and_options: Vec<OsString>,
}

impl StartArgs {
    pub(crate) fn run(self, python: Option<&dyn Python>) -> anyhow::Result<ExitCode> {
        let mut server_options = self.dir_and_options;
        let dir = server_options.remove(0);
        let root_dir = take_root_dir(&mut server_options).transpose()?;
        let folder = root_dir.unwrap_or(self.root_dir).join(dir);
        if python::is_script(&folder) || (python::is_backend(&folder) && !is_rust(&folder)) {
            python::check_script(&folder)?;
            return match python {
                Some(python) => python.start(folder.as_os_str(), server_options),
                None => start_with(&self.python, &folder, &server_options),
            };
        }
        check_folder(&folder)?;
        let build = Build {
            folder: &folder,
            dev: self.dev,
            features: &self.features,
        };
        let program = choose(build.run()?, &folder)?;
        let mut backend = Command::new(&program);
        backend.args(&server_options);
        exec(backend).with_context(|| format!("cannot run {}", program.display()))
    }
}

/// Takes `--root-dir` out of the options after the folder, where the Python original allows it as well.
fn take_root_dir(options: &mut Vec<OsString>) -> Option<anyhow::Result<PathBuf>> {
    let is_root_dir = |option: &OsString| {
        option == "--root-dir" || option.to_string_lossy().starts_with("--root-dir=")
    };
    let option_idx = options.iter().position(is_root_dir)?;
    let option = options.remove(option_idx);
    if let Some((_, value)) = option.to_string_lossy().split_once('=') {
        return Some(Ok(value.into()));
    }
    if option_idx == options.len() {
        return Some(Err(anyhow::anyhow!("--root-dir needs a folder")));
    }
    Some(Ok(options.remove(option_idx).into()))
}

fn check_folder(folder: &Path) -> anyhow::Result<()> {
    let shown = folder.display();
    ensure!(
        folder.is_dir(),
        "there is no folder {shown}; `label-studio-ml create NAME` makes a new backend"
    );
    ensure!(
        is_rust(folder),
        "{shown} is not a backend: it has neither Cargo.toml nor model.py; \
         `label-studio-ml create NAME` makes a new backend"
    );
    Ok(())
}

fn is_rust(folder: &Path) -> bool {
    folder.join("Cargo.toml").is_file()
}

/// Runs the Python package's own `start` in place of this process.
fn start_with(python: &Path, folder: &Path, options: &[OsString]) -> anyhow::Result<ExitCode> {
    let import = Command::new(python)
        .args(["-c", PYTHON_IMPORT])
        .stderr(Stdio::null())
        .status();
    ensure!(
        import.is_ok_and(|status| status.success()),
        "{} is a Python backend, but {} does not have this program's Python package, and the original package of the same \
         name cannot replace it; install it (pip install CHECKOUT/crates/label-studio-ml-python), or name another Python \
         with --python",
        folder.display(),
        python.display()
    );
    let mut backend = Command::new(python);
    backend.args(["-c", PYTHON_MAIN, "start"]);
    backend.arg(folder).args(options);
    exec(backend).with_context(|| format!("cannot run {}", python.display()))
}

/// Picks the program of a package: the only one, or the one named as its folder.
fn choose(mut programs: Vec<PathBuf>, folder: &Path) -> anyhow::Result<PathBuf> {
    let folder = folder.canonicalize()?;
    if programs.len() > 1
        && let Some(name) = folder.file_name()
    {
        programs.retain(|program| program.file_stem() == Some(name));
    }
    let name = folder
        .file_name()
        .unwrap_or(OsStr::new("backend"))
        .display();
    programs.pop().with_context(|| {
        format!(
            "{} has no program to start; add src/main.rs, or name one {name}",
            folder.display()
        )
    })
}

/// Replaces this process, so that signals, exit code and terminal are the backend's own.
#[cfg(unix)]
fn exec(mut backend: Command) -> io::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(backend.exec())
}

#[cfg(not(unix))]
fn exec(mut backend: Command) -> io::Result<ExitCode> {
    let code = backend
        .status()?
        .code()
        .and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

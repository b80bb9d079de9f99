//! Search for ONNX Runtime's library.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{OnnxArgs, OnnxError};

/// Prints the folder of Python's onnxruntime without importing it.
const FIND_PACKAGE: &str = "import importlib.util as u; s = u.find_spec('onnxruntime'); print(s.submodule_search_locations[0] if s else '')";

/// Returns the path of ONNX Runtime's library: the one that is named, or the first found beside the
/// program, in `.ort`, in the active virtual environment, or in what `python3` imports.
pub(super) fn find(args: &OnnxArgs) -> Result<PathBuf, OnnxError> {
    // Compose files set variables to empty strings.
    let given = args.ort_dylib_path.as_deref();
    if let Some(path) = given.filter(|path| !path.as_os_str().is_empty()) {
        return named(path).ok_or_else(|| OnnxError::LibraryPath {
            path: path.to_owned(),
        });
    }
    let program = env::current_exe().ok();
    let program_dir = program.as_deref().and_then(Path::parent);
    let working_dir = env::current_dir().ok();
    let ort_parents = working_dir.iter().chain(&args.more_folders);
    let folders = program_dir.map(Path::to_owned).into_iter();
    let folders = folders
        .chain(ort_parents.map(|parent| parent.join(".ort")))
        .chain(args.virtual_env.clone());

    let mut searched = Vec::new();
    for folder in folders {
        if let Some(library) = in_folder(&folder).or_else(|| in_environment(&folder)) {
            return Ok(library);
        }
        searched.push(folder.display().to_string());
    }
    searched.push("the packages of python3".to_owned());
    in_python().ok_or(OnnxError::LibraryMissing { searched })
}

fn named(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        return in_folder(path).or_else(|| in_environment(path));
    }
    path.is_file().then(|| path.to_owned())
}

/// Looks in a virtual environment: `lib/python3.x/site-packages` on Unix, `Lib/site-packages` on
/// Windows.
fn in_environment(environment: &Path) -> Option<PathBuf> {
    let unix = fs::read_dir(environment.join("lib")).into_iter().flatten();
    let unix = unix.filter_map(|entry| Some(entry.ok()?.path().join("site-packages")));
    unix.chain([environment.join("Lib/site-packages")])
        .find_map(|packages| in_folder(&packages.join("onnxruntime/capi")))
}

fn in_python() -> Option<PathBuf> {
    let mut python = Command::new("python3");
    python.args(["-c", FIND_PACKAGE]).stderr(Stdio::null());
    let output = python.output().ok()?;
    let package = String::from_utf8(output.stdout).ok()?;
    let package = package.trim();
    if package.is_empty() {
        return None;
    }
    in_folder(&Path::new(package).join("capi"))
}

fn in_folder(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    let libraries = entries.filter_map(|entry| {
        let path = entry.ok()?.path();
        let name = path.file_name()?.to_str()?;
        is_library(name).then_some(path)
    });
    libraries.max()
}

/// `libonnxruntime.so.1.23.2`, `libonnxruntime.1.23.2.dylib`, `onnxruntime.dll`; not the providers
/// beside them.
fn is_library(name: &str) -> bool {
    let is_extension = |extension| Path::new(name).extension().is_some_and(|e| e == extension);
    name == "onnxruntime.dll"
        || name == "libonnxruntime.so"
        || name.starts_with("libonnxruntime.so.")
        || (name.starts_with("libonnxruntime.") && is_extension("dylib"))
}

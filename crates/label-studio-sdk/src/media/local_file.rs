//! Files that lie on this machine, found without leaving the folder that may be read.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::MediaError;

/// Finds `relative` below `root`; `None` when there is no such file.
///
/// # Errors
/// When the path leads out of `root`, by `..` or by a symbolic link.
pub(super) fn find(root: &Path, relative: &str) -> Result<Option<PathBuf>, MediaError> {
    let outside = || MediaError::OutsideRoot {
        path: relative.to_owned(),
        root: root.to_owned(),
    };
    let mut names = Vec::new();
    for name in relative.split(['/', std::path::MAIN_SEPARATOR]) {
        match name {
            "" | "." => {}
            ".." => {
                names.pop().ok_or_else(outside)?;
            }
            // A drive letter would replace the root when joined.
            _ if cfg!(windows) && name.contains(':') => return Err(outside()),
            _ => names.push(name),
        }
    }
    let wanted: PathBuf = std::iter::once(root.as_os_str())
        .chain(names.iter().map(AsRef::as_ref))
        .collect();
    let (Some(root), Some(path)) = (canonical(root)?, canonical(&wanted)?) else {
        return Ok(None);
    };
    if !path.starts_with(&root) {
        return Err(outside());
    }
    Ok(path.is_file().then_some(path))
}

/// Returns whether a path climbs out of the folder that it is relative to.
pub(super) fn climbs_out(relative: &str) -> bool {
    let mut depth = 0_usize;
    for name in relative.split(['/', '\\']) {
        depth = match (name, depth) {
            ("" | ".", _) => depth,
            ("..", 0) => return true,
            ("..", _) => depth - 1,
            _ => depth + 1,
        };
    }
    false
}

fn canonical(path: &Path) -> Result<Option<PathBuf>, MediaError> {
    match path.canonicalize() {
        Ok(path) => Ok(Some(path)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(source) => Err(MediaError::Io {
            path: path.to_owned(),
            source,
        }),
    }
}

/// A name that no file can have is as missing as any other.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::InvalidFilename
    )
}

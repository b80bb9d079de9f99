//! The files to import.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context;

/// Returns the files, with those of folders in the order of their paths. Names that begin with a dot are left out, and
/// so are links within folders: they may lead anywhere.
pub(super) fn files_in(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        let kind = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        if kind.is_dir() {
            let found =
                files_of(path).with_context(|| format!("cannot read {}", path.display()))?;
            files.extend(found);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn files_of(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut files = Vec::new();
    for entry in entries {
        let kind = entry.file_type()?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if kind.is_dir() {
            files.extend(files_of(&entry.path())?);
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_searched_in_the_order_of_names() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["b/2.png", "b/.hidden", "a.png", ".git/config", "c.txt"] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let found = files_in(&[folder.path().to_owned()]).unwrap();
        let expected = ["a.png", "b/2.png", "c.txt"].map(|name| folder.path().join(name));
        assert_eq!(found, expected);
        let error = files_in(&[folder.path().join("none")]).unwrap_err();
        assert!(error.to_string().ends_with("none"), "{error}");
    }
}

//! Names of folders, and what is in them.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use super::VersionError;

/// Longest name of a folder, in bytes; most file systems take 255.
const MAX_NAME_BYTES: usize = 200;

/// Returns the name of the folder for any text: characters that a file name cannot have become `%`,
/// their number and `%`. `None` for a text that is empty or too long.
pub(super) fn file_name(text: &str) -> Option<String> {
    let mut name = String::new();
    for c in text.chars() {
        let is_plain = c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        // A name that starts with a dot is hidden, and `..` is another folder.
        if is_plain || (c == '.' && !name.is_empty()) {
            name.push(c);
        } else {
            name.extend(["%", &u32::from(c).to_string(), "%"]);
        }
    }
    (1..=MAX_NAME_BYTES).contains(&name.len()).then_some(name)
}

/// Lists the folders in a folder, without hidden ones. A folder that is missing has none.
pub(super) fn subfolders(folder: &Path) -> Result<Vec<PathBuf>, VersionError> {
    all_entries(folder).map(|mut paths| {
        paths.retain(|path| path.is_dir() && !is_hidden(path));
        paths.sort();
        paths
    })
}

/// Lists the hidden entries of a folder. A folder that is missing has none.
pub(super) fn hidden(folder: &Path) -> Result<Vec<PathBuf>, VersionError> {
    all_entries(folder).map(|mut paths| {
        paths.retain(|path| is_hidden(path));
        paths
    })
}

/// Writes all files of a folder through to the disk, and returns their size together.
pub(super) fn sync_all(folder: &Path) -> io::Result<u64> {
    let mut n_bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            n_bytes += sync_all(&entry.path())?;
        } else if kind.is_file() {
            let file = File::open(entry.path())?;
            file.sync_all()?;
            n_bytes += file.metadata()?.len();
        }
    }
    sync_folder(folder)?;
    Ok(n_bytes)
}

/// Lists all files below a folder, those of hidden folders included.
pub(super) fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            files.extend(files_in(&entry.path())?);
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Writes the names in a folder through to the disk.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn all_entries(folder: &Path) -> Result<Vec<PathBuf>, VersionError> {
    let list = || -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(folder)?;
        entries.map(|entry| Ok(entry?.path())).collect()
    };
    match list() {
        Ok(paths) => Ok(paths),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(VersionError::Folder {
            path: folder.to_owned(),
            source,
        }),
    }
}

fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_none_or(|name| name.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn any_text_has_a_name_of_its_own_within_the_folder() {
        let cases = [
            ("Model-v0.0.1", Some("Model-v0.0.1")),
            ("..", Some("%46%.")),
            (".hidden", Some("%46%hidden")),
            ("a/b", Some("a%47%b")),
            ("a%47%b", Some("a%37%47%37%b")),
            ("é", Some("%233%")),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(file_name(text).as_deref(), expected);
        }
        assert_eq!(file_name(&"v".repeat(201)), None);
    }
}

//! Files out of an archive.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use zip::ZipArchive;

use super::{super::HubError, PackageFile};

/// Largest part of the archive's description that is read.
const MAX_METADATA_BYTES: u64 = 1 << 20;

/// Writes one file of an archive to `target`, if it has at most `max_bytes`.
pub(super) fn extract(
    archive: &Path,
    file: &PackageFile,
    target: &Path,
    max_bytes: u64,
) -> Result<(), HubError> {
    let too_large = || HubError::TooLarge {
        file: file.to_string(),
        limit: max_bytes,
    };
    let broken = |source: zip::result::ZipError| HubError::Archive {
        file: file.to_string(),
        archive: archive.to_owned(),
        source,
    };
    let mut zip = open(archive).map_err(broken)?;
    let entry = zip.by_name(file.path()).map_err(broken)?;
    if entry.size() > max_bytes {
        return Err(too_large());
    }
    let failed = |source| HubError::io(target, source);
    let mut unpacked = File::create(target).map_err(failed)?;
    // The size that an archive states need not be true.
    let n_bytes = io::copy(&mut entry.take(max_bytes.saturating_add(1)), &mut unpacked).map_err(
        |source| match source.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => broken(source.into()),
            _ => failed(source),
        },
    )?;
    if n_bytes > max_bytes {
        return Err(too_large());
    }
    unpacked.sync_all().map_err(failed)
}

/// Returns the licence that the archive's description names.
pub(super) fn licence(archive: &Path) -> Option<String> {
    let mut zip = open(archive).ok()?;
    let name = zip
        .file_names()
        .find(|name| name.ends_with(".dist-info/METADATA"))?
        .to_owned();
    let mut text = String::new();
    let entry = zip.by_name(&name).ok()?;
    entry
        .take(MAX_METADATA_BYTES)
        .read_to_string(&mut text)
        .ok()?;
    let head = text.split("\n\n").next()?;
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
    let licence = field("License-Expression:").or_else(|| field("License:"))?;
    Some(licence.trim().to_owned())
}

fn open(archive: &Path) -> Result<ZipArchive<File>, zip::result::ZipError> {
    ZipArchive::new(File::open(archive)?)
}

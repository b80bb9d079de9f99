//! The archive that a document comes in.

use std::io::{Cursor, Read as _};

use label_studio_ml::anyhow::{self, Context, ensure};
use zip::ZipArchive;

/// Largest document that is unpacked.
const MAX_BYTES: u64 = 512 << 20;

/// Returns the document of a `resource_bundle`: the JSON file at its root.
pub(crate) fn document(archive: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut archive =
        ZipArchive::new(Cursor::new(archive)).context("the bundle is not a zip archive")?;
    let mut names: Vec<_> = archive.file_names().map(str::to_owned).collect();
    names
        .retain(|name| name.to_ascii_lowercase().ends_with(".json") && !name.contains(['/', '\\']));
    names.sort_unstable();
    let name = names
        .first()
        .context("the bundle holds no document in JSON")?;
    let file = archive.by_name(name)?;
    let mut json = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut json)?;
    ensure!(
        json.len() as u64 <= MAX_BYTES,
        "the document in the bundle is larger than {MAX_BYTES} bytes"
    );
    Ok(json)
}

//! The archive that a document comes in.

use std::io::{Cursor, Read as _};

use label_studio_ml::anyhow::{self, Context, ensure};
use zip::ZipArchive;

/// Returns the document of a `resource_bundle`, the JSON file at its root; an error when it is larger than `max_bytes`.
pub(crate) fn document(archive: &[u8], max_bytes: u64) -> anyhow::Result<Vec<u8>> {
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
    file.take(max_bytes + 1).read_to_end(&mut json)?;
    ensure!(
        json.len() as u64 <= max_bytes,
        "the document in the bundle is larger than {max_bytes} bytes (DOCLING_MAX_RESULT_MB)"
    );
    Ok(json)
}

//! The text of PDF documents.

use std::{ffi::OsStr, path::Path};

use label_studio_ml::anyhow::{self, bail};
use label_studio_services::{Deadline, Program};

use crate::MediaArgs;

/// Reads the text of a document, page after page.
pub(crate) fn text(media: &MediaArgs, path: &Path, deadline: Deadline) -> anyhow::Result<String> {
    let args = ["-q", "-enc", "UTF-8", "-"].map(OsStr::new);
    let args = [&args[..3], &[path.as_os_str()], &args[3..]].concat();
    let pdftotext = Program {
        path: &media.pdftotext_cmd,
        setting: "PDFTOTEXT_CMD",
    };
    let text = pdftotext.print(&args, Vec::new(), deadline)?;
    let text = text.trim();
    if text.is_empty() {
        bail!("the document has no text, only images of it; send it whole with MEDIA_MODE=parts");
    }
    Ok(text.to_owned())
}

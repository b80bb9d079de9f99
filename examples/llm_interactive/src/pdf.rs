//! The text of PDF documents.

use std::{ffi::OsStr, path::Path, time::Duration};

use label_studio_inference::program::{Program, ProgramLimits};
use label_studio_ml::anyhow::{self, bail};

use crate::MediaArgs;

/// Reads the text of a document, page after page, within `time` and a minute.
pub(crate) fn text(media: &MediaArgs, path: &Path, time: Duration) -> anyhow::Result<String> {
    let [quiet, encoding, utf_8, stdout] = ["-q", "-enc", "UTF-8", "-"].map(OsStr::new);
    let args = [quiet, encoding, utf_8, path.as_os_str(), stdout];
    let pdftotext = Program {
        path: &media.pdftotext_cmd,
        setting: "PDFTOTEXT_CMD",
    };
    let mut limits = ProgramLimits::default();
    limits.time = limits.time.min(time);
    let text = pdftotext.text(args, Vec::new(), limits)?;
    let text = text.trim();
    if text.is_empty() {
        bail!("the document has no text, only images of it; send it whole with MEDIA_MODE=parts");
    }
    Ok(text.to_owned())
}

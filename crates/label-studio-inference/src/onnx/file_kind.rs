//! Files that are no ONNX models, and what they are: frequent mistakes.

use std::{fs::File, io::Read, path::Path};

use super::OnnxError;

/// Refuses files that are no ONNX models; the error says what they are.
pub(super) fn check(path: &Path) -> Result<(), OnnxError> {
    let missing = |_| OnnxError::NoFile {
        path: path.to_owned(),
    };
    let mut start = Vec::new();
    let file = File::open(path).map_err(missing)?;
    // A folder can be opened, but not read.
    let read = file.take(64).read_to_end(&mut start);
    let reason = match (read, start.as_slice()) {
        (Err(error), _) => format!("it cannot be read ({error})"),
        (_, b"") => "it is empty; fetch it again".to_owned(),
        (_, [b'P', b'K', 3, 4, ..] | [0x80, 2..=5, ..]) => {
            "it is a PyTorch checkpoint or an archive; export it to ONNX, or unpack it, as the backend's README says"
                .to_owned()
        }
        (_, start) if start.starts_with(b"version https://git-lfs") => {
            "it is a Git LFS pointer; fetch the file itself with `git lfs pull`".to_owned()
        }
        (_, start) if start.first() == Some(&b'<') || start.first() == Some(&b'{') => {
            "it is a text, perhaps the error page of a failed download; fetch it again".to_owned()
        }
        _ => return Ok(()),
    };
    Err(OnnxError::NotOnnx {
        path: path.to_owned(),
        reason,
    })
}

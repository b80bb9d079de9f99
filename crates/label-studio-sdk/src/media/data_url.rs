//! Content that stands in the address itself: `data:image/png;base64,...`.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{MediaError, source::shown};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const MAX_SHOWN_CHARS: usize = 40;

/// Decodes the content of a `data:` address.
pub(super) fn decode(value: &str) -> Result<Vec<u8>, MediaError> {
    let invalid = || MediaError::DataUrl {
        value: shown(value).chars().take(MAX_SHOWN_CHARS).collect(),
    };
    let (head, content) = head_and_content(value).ok_or_else(invalid)?;
    let bytes: Vec<u8> = percent_decode(content);
    if !head.to_ascii_lowercase().ends_with(";base64") {
        return Ok(bytes);
    }
    let letters: Vec<u8> = bytes
        .into_iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    LENIENT.decode(letters).map_err(|_| invalid())
}

/// Returns a file name with an ending that fits the content's type.
pub(super) fn file_name(value: &str) -> String {
    let head = head_and_content(value).map_or("", |(head, _)| head);
    let media_type = head.split(';').next().unwrap_or_default();
    let ending = match media_type.rsplit('/').next().unwrap_or_default() {
        "" | "plain" => "txt",
        "jpeg" => "jpg",
        "mpeg" if media_type.starts_with("audio/") => "mp3",
        "svg+xml" => "svg",
        "x-wav" => "wav",
        subtype => subtype,
    };
    format!("data.{ending}")
}

fn head_and_content(value: &str) -> Option<(&str, &str)> {
    value.strip_prefix("data:")?.split_once(',')
}

fn percent_decode(text: &str) -> Vec<u8> {
    percent_encoding::percent_decode_str(text).collect()
}

//! Names that can be used in paths and in URLs.

/// Returns whether a name means the same in a path and in a URL.
pub(super) fn is_plain_segment(segment: &str) -> bool {
    let is_plain = |char: char| char.is_alphanumeric() || "-_.+=, ()".contains(char);
    !segment.is_empty() && !matches!(segment, "." | "..") && segment.chars().all(is_plain)
}

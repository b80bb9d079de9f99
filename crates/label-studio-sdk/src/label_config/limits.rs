//! Refuses texts that would cost the XML parser too much stack, time or memory.

use crate::LabelConfigError;

/// Largest label config in bytes: 8 MiB.
const MAX_BYTES: usize = 8 << 20;
/// Deepest nesting of tags.
const MAX_DEPTH: usize = 256;
/// Most elements, texts and comments.
pub(super) const MAX_NODES: u32 = 250_000;
/// Most attributes of all tags.
const MAX_ALL_ATTRIBUTES: usize = 500_000;
/// Most attributes of one tag: the parser compares each with all others.
const MAX_ATTRIBUTES: usize = 1_000;
/// Most namespace declarations: the parser copies them to nested tags.
const MAX_NAMESPACES: usize = 64;

/// Checks the limits with one look at every byte. Where the text is not well-formed the count is meaningless from there
/// on, but the parser stops there as well.
pub(super) fn check(text: &str) -> Result<(), LabelConfigError> {
    check_size(text.len())?;
    let (mut rest, mut depth) = (text, 0_usize);
    let (mut n_namespaces, mut n_attributes) = (0, 0);
    while let Some(start) = rest.find('<') {
        rest = &rest[start..];
        let skipped = SKIPPED.iter().find(|(open, _)| rest.starts_with(open));
        if let Some((open, close)) = skipped {
            let Some(end) = rest[open.len()..].find(close) else {
                return Ok(());
            };
            rest = &rest[open.len() + end + close.len()..];
        } else if rest.starts_with("</") {
            depth = depth.saturating_sub(1);
            rest = &rest[2..];
        } else {
            let tag = StartTag::read(rest);
            n_namespaces += tag.n_namespaces;
            n_attributes += tag.n_attributes;
            if n_attributes > MAX_ALL_ATTRIBUTES {
                return Err(too_large("attributes", MAX_ALL_ATTRIBUTES));
            }
            if tag.n_attributes > MAX_ATTRIBUTES {
                return Err(too_large("attributes in one tag", MAX_ATTRIBUTES));
            }
            if n_namespaces > MAX_NAMESPACES {
                return Err(too_large("namespaces", MAX_NAMESPACES));
            }
            if !tag.is_closed {
                depth += 1;
            }
            if depth > MAX_DEPTH {
                return Err(too_large("levels of nested tags", MAX_DEPTH));
            }
            rest = &rest[tag.len..];
        }
    }
    Ok(())
}

/// Checks the size of a text.
pub(super) fn check_size(n_bytes: usize) -> Result<(), LabelConfigError> {
    if n_bytes > MAX_BYTES {
        return Err(too_large("bytes", MAX_BYTES));
    }
    Ok(())
}

/// Checks the number of something.
pub(super) fn check_count(
    what: &'static str,
    count: usize,
    limit: usize,
) -> Result<(), LabelConfigError> {
    if count > limit {
        return Err(too_large(what, limit));
    }
    Ok(())
}

/// What the scan learns of the start tag at the beginning of a text.
struct StartTag {
    len: usize,
    n_attributes: usize,
    n_namespaces: usize,
    is_closed: bool,
}

impl StartTag {
    fn read(text: &str) -> Self {
        let (mut quote, mut n_attributes, mut n_namespaces) = (None, 0, 0);
        let bytes = text.as_bytes();
        for (idx, &byte) in bytes.iter().enumerate() {
            match (quote, byte) {
                (None, b'"' | b'\'') => quote = Some(byte),
                (Some(open), _) if open == byte => quote = None,
                (None, b'=') => n_attributes += 1,
                (None, b'x') if bytes[idx..].starts_with(b"xmlns") => n_namespaces += 1,
                (None, b'>') => {
                    return Self {
                        len: idx + 1,
                        n_attributes,
                        n_namespaces,
                        is_closed: bytes[idx - 1] == b'/',
                    };
                }
                _ => {}
            }
        }
        Self {
            len: text.len(),
            n_attributes,
            n_namespaces,
            is_closed: true,
        }
    }
}

/// Returns the error of a text with too many elements, texts and comments.
pub(super) fn too_many_nodes() -> LabelConfigError {
    too_large("elements, texts and comments", MAX_NODES as usize)
}

fn too_large(what: &'static str, limit: usize) -> LabelConfigError {
    LabelConfigError::TooLarge { what, limit }
}

/// Parts of XML inside which `<` opens no tag.
const SKIPPED: [(&str, &str); 3] = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")];

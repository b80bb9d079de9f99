//! The document of a task.

use std::path::PathBuf;

use label_studio_ml::{Map, Value};
use percent_encoding::percent_decode_str;

/// Fields that hold a document, after the configured one.
const FIELDS: [&str; 9] = [
    "image",
    "url",
    "ocr",
    "$undefined$",
    "$undefined",
    "undefined",
    "pdf",
    "document",
    "file",
];
/// Prefixes of the addresses of files.
const STARTS: [&str; 7] = [
    "http://",
    "https://",
    "/data/",
    "/storage-data/",
    "s3://",
    "gs://",
    "azure-blob://",
];
/// File name extensions and their media types.
const KINDS: [(&str, &str); 22] = [
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("bmp", "image/bmp"),
    ("webp", "image/webp"),
    ("gif", "image/gif"),
    (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    (
        "pptx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("adoc", "text/asciidoc"),
    ("xml", "application/xml"),
    ("json", "application/json"),
    ("txt", "text/plain"),
    ("wav", "audio/wav"),
    ("mp3", "audio/mpeg"),
];

const UNKNOWN: &str = "application/octet-stream";

/// A document to convert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An address that the service fetches itself.
    Url(String),
    /// A file that is sent to it.
    File {
        /// Where it is.
        path: PathBuf,
        /// Its name in the task.
        name: String,
    },
}

/// Returns the address of a task's document: of the configured field, else of a field that usually holds one, else whatever
/// looks like an address. Of a list the first item counts.
pub fn task_file_url(data: &Map<String, Value>, field: &str) -> Option<String> {
    let named = std::iter::once(field).chain(FIELDS);
    let found = named.filter_map(|name| data.get(name)).find_map(address);
    found.or_else(|| {
        let mut texts = data.values().filter_map(Value::as_str).map(str::trim);
        let file = texts.find(|text| STARTS.iter().any(|start| text.starts_with(start)));
        file.map(str::to_owned)
    })
}

/// Reads a value; what Python takes for false is none.
fn address(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null | Value::Bool(_) => return None,
        Value::Number(number) if number.as_f64() == Some(0.0) => return None,
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        Value::Array(items) => return address(items.first()?),
        Value::Object(fields) => {
            let url = fields.get("url").and_then(address);
            return url.or_else(|| fields.get("URL").and_then(address));
        }
    };
    Some(text).filter(|text| !text.is_empty())
}

/// Returns the name of a file from its address, and its media type.
pub(crate) fn name_and_kind(url: &str) -> (String, &'static str) {
    if let Some(content) = url.strip_prefix("data:") {
        let kind = content.split([';', ',']).next().unwrap_or_default();
        let known = KINDS.iter().find(|(_, known)| *known == kind);
        let (extension, kind) = *known.unwrap_or(&("bin", UNKNOWN));
        return (format!("document.{extension}"), kind);
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    // Local files and uploads name the file in a parameter.
    let inner = query.split('&').find_map(|pair| {
        pair.strip_prefix("d=")
            .or_else(|| pair.strip_prefix("filepath="))
    });
    let path = decoded(inner.unwrap_or(path));
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name
        .chars()
        .filter(|char| !char.is_control())
        .take(200)
        .collect();
    let name = if name.is_empty() {
        "document".to_owned()
    } else {
        name
    };
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase());
    let kind = KINDS
        .iter()
        .find(|(known, _)| Some(*known) == extension.as_deref());
    (name, kind.map_or(UNKNOWN, |(_, kind)| kind))
}

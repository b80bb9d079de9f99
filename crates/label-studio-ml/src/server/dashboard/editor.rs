//! The built files of Label Studio's editor, in a folder that `scripts/get_dashboard_editor.py`
//! fills.

use std::{
    fs::{File, Metadata},
    io::Read,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};

use crate::server::dashboard::files::{cached, is_known, not_modified, secure_file};

/// File that says how the others are started. A folder without it holds no editor.
const MANIFEST: &str = "manifest.json";
/// Largest file that is served; the editor's are below 2 MB.
const MAX_BYTES: u64 = 32 << 20;
const TYPES: [(&str, &str); 6] = [
    ("js", "text/javascript; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("json", "application/json"),
    ("wasm", "application/wasm"),
    ("svg", "image/svg+xml"),
    ("ttf", "font/ttf"),
];

/// The folder of the editor.
#[derive(Debug)]
pub(crate) struct Editor {
    folder: PathBuf,
}

impl Editor {
    /// Returns the editor in a folder, if there is one. A folder that was named and holds none is
    /// reported.
    pub(crate) fn new(folder: &Path) -> Option<Self> {
        if folder.as_os_str().is_empty() {
            return None;
        }
        if !folder.join(MANIFEST).is_file() {
            let folder = folder.display();
            tracing::warn!(
                "DASHBOARD_EDITOR names {folder}, which holds no {MANIFEST}; \
                 scripts/get_dashboard_editor.py fills such a folder"
            );
            return None;
        }
        Some(Self {
            folder: folder.to_owned(),
        })
    }

    /// Returns a file; `None` if there is none of that name.
    pub(crate) fn read(&self, name: &str, headers: &HeaderMap) -> Option<Response> {
        let (_, extension) = name.rsplit_once('.')?;
        let (_, media_type) = TYPES.iter().find(|(known, _)| *known == extension)?;
        // No name of the editor starts with a dot or has a folder.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.starts_with('.') || !name.chars().all(is_plain) {
            return None;
        }
        let path = self.folder.join(name);
        let zipped = self.folder.join(format!("{name}.gz"));
        let is_zipped = accepts_gzip(headers) && zipped.is_file();
        let path = if is_zipped { zipped } else { path };
        let file = File::open(path).ok()?;
        let about = file.metadata().ok().filter(Metadata::is_file)?;
        let tag = tag_of(&about, is_zipped);
        let mut response = if is_known(headers, &tag) {
            not_modified()
        } else {
            let mut content = Vec::new();
            file.take(MAX_BYTES).read_to_end(&mut content).ok()?;
            Response::new(Body::from(content))
        };
        secure_file(&mut response, media_type);
        cached(&mut response, &tag);
        let headers = response.headers_mut();
        if is_zipped {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        Some(response)
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING);
    accepted.is_some_and(|accepted| accepted.to_str().is_ok_and(|text| text.contains("gzip")))
}

fn tag_of(about: &Metadata, is_zipped: bool) -> String {
    let modified = about.modified().ok();
    let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let seconds = modified.unwrap_or_default().as_millis();
    format!("\"{seconds:x}-{:x}-{}\"", about.len(), u8::from(is_zipped))
}

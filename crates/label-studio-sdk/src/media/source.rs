//! What a value in a task's data points at. Nothing here looks at disk or network.

use base64::{Engine, prelude::BASE64_URL_SAFE};
use url::{Url, form_urlencoded};

use super::MediaError;

/// Label Studio's way to uploads that lie in cloud storage; without a slash before it in some exports.
const STORAGE_PROXY: &str = "storage-data/uploaded";
/// Files that Label Studio serves without credentials, such as its samples.
pub(super) const STATIC: &str = "/static/";
const CLOUD_SCHEMES: [&str; 3] = ["s3://", "gs://", "azure-blob://"];
/// What Label Studio's own paths start with.
const OWN_PATHS: [&str; 3] = [
    "/data/upload/",
    "/data/local-files/",
    "/storage-data/uploaded",
];
/// Segments of the path that a proxy in front of Label Studio may add.
const MAX_BASE_SEGMENTS: usize = 3;
const MAX_SHOWN_CHARS: usize = 200;
const MAX_PRELOAD_BYTES: usize = 8 << 10;

/// What a value in a task's data points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// File uploaded to a project.
    Upload { project: String, file: String },
    /// File below the document root, and the path and query that Label Studio has it under.
    LocalFile { path: String, link: String },
    /// Another file of Label Studio, by path and query.
    Link(String),
    /// Object in cloud storage.
    Cloud(String),
    /// Web address.
    Web(Url),
    /// Content in the address itself.
    Data(String),
}

/// Returns whether a text of task data is the address of a file rather than the text to be labelled.
///
/// Uploads (`/data/upload/<project>/<file>`, with or without `/data/`), files of local storage (`/data/...?d=`), cloud
/// storage (`s3://`, `gs://`, `azure-blob://`) and web addresses are. The disk is not looked at.
pub fn needs_preload(text: &str) -> bool {
    let text = text.trim();
    if text.len() > MAX_PRELOAD_BYTES || text.contains(char::is_control) {
        return false;
    }
    match Source::parse(text) {
        Ok(Source::Data(_)) | Err(_) => false,
        Ok(Source::Web(_)) => !text.contains(char::is_whitespace),
        Ok(_) => true,
    }
}

impl Source {
    /// Reads a value of task data; `base_path` of Label Studio, if any, has been taken off.
    pub(super) fn parse(value: &str) -> Result<Self, MediaError> {
        let value = value.trim();
        if let Some((project, file)) = upload(value) {
            return Ok(Self::Upload {
                project: project.to_owned(),
                file: file.to_owned(),
            });
        }
        if value.starts_with("/data/") && has_key(value, "d") {
            let path = query_value(value, "d").filter(|path| !path.is_empty());
            return Ok(Self::LocalFile {
                path: path.ok_or_else(|| MediaError::MissingFileName {
                    value: shown(value),
                })?,
                link: value.to_owned(),
            });
        }
        let link = match value.strip_prefix(STORAGE_PROXY) {
            Some(rest) => format!("/{STORAGE_PROXY}{rest}"),
            None => value.to_owned(),
        };
        if is_link(&link) {
            return Ok(Self::Link(link));
        }
        if let Some(scheme) = CLOUD_SCHEMES
            .iter()
            .find(|scheme| value.starts_with(**scheme))
            && value.len() > scheme.len()
        {
            return Ok(Self::Cloud(value.to_owned()));
        }
        if value.starts_with("data:") {
            return Ok(Self::Data(value.to_owned()));
        }
        let is_web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        let is_absolute = value.contains("://");
        match Url::parse(value).ok().filter(is_web) {
            Some(url) if is_absolute => Ok(Self::Web(url)),
            _ => Self::below_a_path(value).ok_or_else(|| MediaError::Unsupported {
                value: shown(value),
            }),
        }
    }

    /// Reads a path that a proxy in front of Label Studio has added to: `/labelstudio/data/upload/1/a.png`.
    fn below_a_path(value: &str) -> Option<Self> {
        let mut rest = value.strip_prefix('/')?;
        for _ in 0..MAX_BASE_SEGMENTS {
            let (segment, below) = rest.split_once('/')?;
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
            if matches!(segment, "" | "." | "..") || !segment.bytes().all(is_plain) {
                return None;
            }
            let path = &value[value.len() - below.len() - 1..];
            if OWN_PATHS.iter().any(|own| path.starts_with(own)) {
                return Self::parse(path).ok();
            }
            rest = below;
        }
        None
    }

    /// Returns the name that the file has where it lies, percent escapes kept.
    pub(super) fn file_name(&self) -> String {
        match self {
            Self::Upload { file, .. } => last_segment(file).to_owned(),
            Self::LocalFile { path, .. } => last_segment(path).to_owned(),
            Self::Cloud(uri) => last_segment(uri).to_owned(),
            Self::Web(url) => last_segment(url.path()).to_owned(),
            Self::Link(link) => link_file_name(link),
            Self::Data(_) => String::new(),
        }
    }
}

/// Starts a value, for messages; queries may hold signatures.
pub(super) fn shown(value: &str) -> String {
    let query_at = value.find('?').filter(|_| value.contains("://"));
    let value = value
        .get(..query_at.unwrap_or(value.len()))
        .unwrap_or(value);
    value.chars().take(MAX_SHOWN_CHARS).collect()
}

/// Returns the file of local storage that a web address means: `http://host/path/data/local-files/?d=dir/a.png`.
pub(super) fn local_storage(url: &Url) -> Option<Source> {
    let path = url.path().trim_end_matches('/');
    path.ends_with("/data/local-files").then_some(())?;
    let link = format!("/data/local-files/?{}", url.query()?);
    let source = Source::parse(&link).ok()?;
    matches!(source, Source::LocalFile { .. }).then_some(source)
}

/// Reads `[/][data/]upload/<digits>/<file>`.
fn upload(value: &str) -> Option<(&str, &str)> {
    let path = value
        .strip_prefix("/data/")
        .or_else(|| value.strip_prefix('/'));
    let path = path.unwrap_or(value).strip_prefix("upload/")?;
    let (project, file) = path.split_once('/')?;
    let file = file.split(['?', '#']).next()?;
    let is_number = !project.is_empty() && project.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !last_segment(file).is_empty()).then_some((project, file))
}

/// Returns whether a path is one that Label Studio serves files under.
fn is_link(value: &str) -> bool {
    let serves_objects = |prefix: &str| {
        let rest = value.strip_prefix(prefix).unwrap_or_default();
        let id = rest.split('/').next().unwrap_or_default();
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) && has_key(value, "fileuri")
    };
    let is_proxied = |path: &str| path.starts_with(STORAGE_PROXY) && has_key(value, "filepath");
    value.starts_with("/data/upload/")
        || value
            .strip_prefix(STATIC)
            .is_some_and(|file| !file.is_empty())
        || value.strip_prefix('/').is_some_and(is_proxied)
        || serves_objects("/tasks/")
        || serves_objects("/projects/")
}

fn link_file_name(link: &str) -> String {
    let decoded = |uri: String| String::from_utf8(BASE64_URL_SAFE.decode(uri).ok()?).ok();
    let path = query_value(link, "filepath")
        .or_else(|| decoded(query_value(link, "fileuri")?))
        .unwrap_or_else(|| link.split(['?', '#']).next().unwrap_or(link).to_owned());
    last_segment(&path).to_owned()
}

fn has_key(value: &str, key: &str) -> bool {
    query_value(value, key).is_some()
}

/// Returns the last value of a query's key, decoded.
fn query_value(value: &str, key: &str) -> Option<String> {
    let (_, query) = value.split_once('?')?;
    let query = query.split('#').next()?;
    form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == key)
        .last()
        .map(|(_, value)| value.into_owned())
}

fn last_segment(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

//! The page's own files, and the headers that keep hostile label configs and tasks harmless.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use uuid::Uuid;

/// Scripts and styles come from this server only, and none is inline. Images and sounds are loaded
/// from wherever a task says.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data: blob: http: https:; media-src 'self' data: blob: http: https:; \
    connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Label Studio's editor also has fonts and workers, reads data URLs, is shown in a frame of the page,
/// and adds styles, which have a number that no task can know.
const EDITOR_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-NONCE'; \
    img-src 'self' data: blob: http: https:; media-src 'self' data: blob: http: https:; \
    font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'self'";
/// Stands for a random number in the page of the editor and in its policy.
const NONCE: &str = "NONCE";
/// A file that is shown by itself does nothing.
const FILE_POLICY: &str = "default-src 'none'; sandbox";

/// A file of the page.
struct PageFile {
    name: &'static str,
    media_type: &'static str,
    text: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

macro_rules! page_file {
    ($name:literal, $media_type:expr) => {
        PageFile {
            name: $name,
            media_type: $media_type,
            text: include_str!(concat!("files/", $name)),
        }
    };
}

static FILES: [PageFile; 13] = [
    page_file!("index.html", HTML),
    page_file!("style.css", STYLE),
    page_file!("app.js", SCRIPT),
    page_file!("dom.js", SCRIPT),
    page_file!("jobs.js", SCRIPT),
    page_file!("latency.js", SCRIPT),
    page_file!("projects.js", SCRIPT),
    page_file!("try.js", SCRIPT),
    page_file!("label_config.js", SCRIPT),
    page_file!("result.js", SCRIPT),
    page_file!("brush_rle.js", SCRIPT),
    page_file!("editor.html", HTML),
    page_file!("editor.js", SCRIPT),
];

/// Returns whether a client wants a page rather than JSON: browsers name HTML, programs do not.
pub(crate) fn wants_page(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter();
    accepted.any(|accept| accept.to_str().is_ok_and(|text| text.contains("text/html")))
}

/// Returns the page itself.
pub(crate) fn page(headers: &HeaderMap) -> Response {
    let mut response = file("index.html", headers).unwrap_or_default();
    let vary = HeaderValue::from_static("accept");
    response.headers_mut().insert(header::VARY, vary);
    response
}

/// Returns a file of the page; `None` if there is none of that name.
pub(crate) fn file(name: &str, headers: &HeaderMap) -> Option<Response> {
    let file = FILES.iter().find(|file| file.name == name)?;
    if file.name == "editor.html" {
        return Some(editor_page(file));
    }
    let tag = tag_of(file.text.as_bytes());
    let policy = match file.name {
        "index.html" => PAGE_POLICY,
        _ => FILE_POLICY,
    };
    let mut response = if is_known(headers, &tag) {
        not_modified()
    } else {
        Response::new(Body::from(file.text))
    };
    secure(&mut response, file.media_type, policy);
    cached(&mut response, &tag);
    Some(response)
}

/// Returns the page around the editor, with another number each time.
fn editor_page(file: &PageFile) -> Response {
    let nonce = Uuid::new_v4().simple().to_string();
    let mut response = Response::new(Body::from(file.text.replace(NONCE, &nonce)));
    secure(&mut response, file.media_type, FILE_POLICY);
    let headers = response.headers_mut();
    let policy = HeaderValue::from_str(&EDITOR_POLICY.replace(NONCE, &nonce));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        policy.expect("a policy and hexadecimal digits are visible ASCII"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Sets the headers of a file: its type, and what it may do.
pub(crate) fn secure(response: &mut Response, media_type: &'static str, policy: &'static str) {
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_TYPE, media_type);
    set(header::CONTENT_SECURITY_POLICY, policy);
    set(header::REFERRER_POLICY, "no-referrer");
    set(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
}

/// Sets the headers of a file that may be loaded by scripts of the page and by nothing else.
pub(crate) fn secure_file(response: &mut Response, media_type: &'static str) {
    secure(response, media_type, FILE_POLICY);
}

/// Lets a browser keep a file for as long as it has this tag.
pub(crate) fn cached(response: &mut Response, tag: &str) {
    let headers = response.headers_mut();
    let no_cache = HeaderValue::from_static("private, no-cache");
    headers.insert(header::CACHE_CONTROL, no_cache);
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
}

/// Returns whether a browser has the version of a file that has this tag.
pub(crate) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH);
    known.is_some_and(|known| known.as_bytes() == tag.as_bytes())
}

pub(crate) fn not_modified() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response
}

/// Returns the tag of a file: a hash, FNV-1a with 64 bits.
fn tag_of(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("\"{hash:016x}\"")
}

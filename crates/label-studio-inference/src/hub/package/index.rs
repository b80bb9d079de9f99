//! Requests to a package index.

use std::io::Read as _;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use label_studio_sdk::http::HttpAgent;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use ureq::{
    Body,
    http::{Request, Response, header},
};
use url::Url;

use super::{
    super::{HubError, Sha256Digest},
    PackageFile,
};

const MAX_REDIRECTS: usize = 10;
/// Largest list of archives that is read; that of a package with a thousand of them has 1 MB.
const MAX_LIST_BYTES: u64 = 32 << 20;
/// The list as JSON (PEP 691), or as the web page that every index has (PEP 503).
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, text/html;q=0.5";

/// An index with the simple API. A name and a password in its address are sent to its own host
/// only.
#[derive(Debug)]
pub(super) struct Index<'a> {
    pub(super) agent: &'a HttpAgent,
    pub(super) url: &'a Url,
}

/// An archive of a package.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Archive {
    pub(super) name: String,
    pub(super) url: Url,
    /// The digest that the index states.
    pub(super) sha256: Option<Sha256Digest>,
}

#[derive(Deserialize)]
struct Listing {
    files: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: Hashes,
}

#[derive(Default, Deserialize)]
struct Hashes {
    sha256: Option<String>,
}

impl Index<'_> {
    /// Finds the archive with a file: a wheel, which is the same on all machines if there is one.
    pub(super) fn archive(&self, file: &PackageFile) -> Result<Archive, HubError> {
        let not_an_index = |problem| self.not_an_index(file, problem);
        let mut address = self.url.clone();
        {
            let segments = address.path_segments_mut();
            let mut segments = segments.map_err(|()| not_an_index("its address has no path"))?;
            segments.pop_if_empty();
            segments.extend([file.package().as_str(), ""]);
        }
        let (response, address) = self.get(file, &address, ACCEPT)?;
        let kind = response.headers().get(header::CONTENT_TYPE);
        let is_json = kind
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.contains("json"));
        let mut text = String::new();
        response
            .into_body()
            .into_reader()
            .take(MAX_LIST_BYTES)
            .read_to_string(&mut text)
            .map_err(|error| self.unreachable(file, error.into()))?;
        let archives = if is_json {
            let listing: Listing = serde_json::from_str(&text)
                .map_err(|_| not_an_index("its list of archives is no JSON of PEP 691"))?;
            of_listing(listing, &address)
        } else {
            of_page(&text, &address)
        };
        let archive = archives
            .into_iter()
            .filter(|archive| is_wheel_of(&archive.name, file))
            .max_by_key(|archive| archive.name.ends_with("-none-any.whl"));
        archive.ok_or_else(|| HubError::NotInIndex {
            file: file.to_string(),
            index: self.shown(),
        })
    }

    /// Requests an address, and returns the answer with the address that it came from.
    pub(super) fn get(
        &self,
        file: &PackageFile,
        address: &Url,
        accept: &str,
    ) -> Result<(Response<Body>, Url), HubError> {
        let mut address = address.clone();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(file, &address, accept)?;
            match response.status().as_u16() {
                200 => return Ok((response, address)),
                301 | 302 | 303 | 307 | 308 => {
                    let location = response.headers().get(header::LOCATION);
                    let location = location.and_then(|location| location.to_str().ok());
                    let target = location.and_then(|location| address.join(location).ok());
                    let target = target.filter(|target| self.may_send_to(target));
                    address =
                        target.ok_or_else(|| self.not_an_index(file, "a redirect to nowhere"))?;
                }
                404 => {
                    return Err(HubError::NotInIndex {
                        file: file.to_string(),
                        index: self.shown(),
                    });
                }
                status => {
                    return Err(HubError::Status {
                        file: file.to_string(),
                        hub: self.shown(),
                        status,
                    });
                }
            }
        }
        Err(self.not_an_index(file, "too many redirects"))
    }

    /// Returns whether an address may be asked: over HTTPS, or as the index itself.
    pub(super) fn may_send_to(&self, address: &Url) -> bool {
        address.scheme() == "https" || address.scheme() == self.url.scheme()
    }

    pub(super) fn unreachable(&self, file: &PackageFile, error: ureq::Error) -> HubError {
        HubError::IndexUnreachable {
            file: file.to_string(),
            index: self.shown(),
            source: Box::new(error),
        }
    }

    pub(super) fn not_an_index(&self, file: &PackageFile, problem: &'static str) -> HubError {
        HubError::NotAnIndex {
            file: file.to_string(),
            index: self.shown(),
            problem,
        }
    }

    /// Returns the address without name and password.
    pub(super) fn shown(&self) -> String {
        bare(self.url).as_str().trim_end_matches('/').to_owned()
    }

    fn send(
        &self,
        file: &PackageFile,
        address: &Url,
        accept: &str,
    ) -> Result<Response<Body>, HubError> {
        let mut request = Request::get(bare(address).as_str()).header(header::ACCEPT, accept);
        if let Some(credentials) = self.credentials(address) {
            request = request.header(header::AUTHORIZATION, credentials);
        }
        let answer = match request.body(()) {
            Ok(request) => self.agent.run(request, None),
            Err(error) => Err(error.into()),
        };
        answer.map_err(|error| self.unreachable(file, error))
    }

    fn credentials(&self, address: &Url) -> Option<String> {
        let is_own = bare(address).origin() == self.url.origin();
        if self.url.username().is_empty() || !is_own {
            return None;
        }
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let name = decoded(self.url.username());
        let password = decoded(self.url.password().unwrap_or_default());
        let credentials = BASE64_STANDARD.encode(format!("{name}:{password}"));
        Some(format!("Basic {credentials}"))
    }
}

/// Returns an address without name, password and fragment.
fn bare(address: &Url) -> Url {
    let mut bare = address.clone();
    bare.set_fragment(None);
    // Only addresses that have no host cannot be changed, and those have neither.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    bare
}

fn of_listing(listing: Listing, base: &Url) -> Vec<Archive> {
    let files = listing.files.into_iter();
    files
        .filter_map(|listed| {
            Some(Archive {
                url: base.join(&listed.url).ok()?,
                sha256: listed.hashes.sha256.and_then(|digest| digest.parse().ok()),
                name: listed.filename,
            })
        })
        .collect()
}

/// Reads the links of a web page: `<a href="address#sha256=digest">name</a>`.
fn of_page(page: &str, base: &Url) -> Vec<Archive> {
    let links = page.split("href=").skip(1);
    links
        .filter_map(|link| {
            let quote = link.chars().next().filter(|quote| "\"'".contains(*quote))?;
            let (address, _) = link[1..].split_once(quote)?;
            let url = base.join(&address.replace("&amp;", "&")).ok()?;
            let name = url.path_segments()?.next_back()?;
            let name = percent_decode_str(name).decode_utf8().ok()?.into_owned();
            let digest = url.fragment().and_then(|text| text.strip_prefix("sha256="));
            let sha256 = digest.and_then(|digest| digest.parse().ok());
            Some(Archive { name, url, sha256 })
        })
        .collect()
}

fn is_wheel_of(archive: &str, file: &PackageFile) -> bool {
    let Some(stem) = archive.strip_suffix(".whl") else {
        return false;
    };
    let mut parts = stem.split('-');
    let (Some(package), Some(version)) = (parts.next(), parts.next()) else {
        return false;
    };
    let package = package.replace(['_', '.'], "-").to_lowercase();
    package == file.package() && version == file.version()
}

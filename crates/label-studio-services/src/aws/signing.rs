//! Amazon's Signature Version 4 for S3.
//!
//! See <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html>.

use std::{fmt::Write as _, time::SystemTime};

use hmac::{Hmac, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use url::Url;

use super::credentials::Credentials;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "s3";
/// Replaces the hash of a body that is not signed.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const UNRESERVED_AND_SLASH: AsciiSet = UNRESERVED.remove(b'/');

/// Signs requests to one region.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// Credentials to sign with.
    pub credentials: &'a Credentials,
    /// Region of the bucket.
    pub region: &'a str,
}

/// Request to sign.
#[derive(Debug, Clone, Copy)]
pub struct S3Request<'a> {
    /// Method, in capitals.
    pub method: &'a str,
    /// Address; its path is encoded as [`encode_path`] does.
    pub url: &'a Url,
    /// Headers of the request.
    pub headers: &'a [(&'a str, &'a str)],
    /// Body of the request.
    pub body: &'a [u8],
}

/// Time as signatures contain it: `20130524T000000Z`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamp(String);

impl Timestamp {
    /// Returns the current time.
    pub fn now() -> Self {
        Self::from(SystemTime::now())
    }

    fn date(&self) -> &str {
        &self.0[..8]
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let time = OffsetDateTime::from(time);
        let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
        let (hour, minute, second) = time.to_hms();
        Self(format!(
            "{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z"
        ))
    }
}

/// Parts of a request in the form that is hashed and signed.
struct Canonical<'a> {
    method: &'a str,
    url: &'a Url,
    query: &'a str,
    /// Sorted, names in lower case.
    headers: &'a [(String, String)],
    /// Names of the headers, joined by semicolons.
    header_names: &'a str,
    body_hash: &'a str,
}

impl Signer<'_> {
    /// Returns the headers of a signed request: its own, those that signing needs, and `authorization`.
    pub fn signed_headers(
        &self,
        request: &S3Request<'_>,
        now: &Timestamp,
    ) -> Vec<(String, String)> {
        let body_hash = sha256_hex(request.body);
        let own = request.headers.iter();
        let mut signed: Vec<(String, String)> = own
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        signed.push(("x-amz-content-sha256".to_owned(), body_hash.clone()));
        signed.push(("x-amz-date".to_owned(), now.0.clone()));
        if let Some(token) = &self.credentials.session_token {
            signed.push(("x-amz-security-token".to_owned(), token.expose().to_owned()));
        }
        let mut headers = signed.clone();
        headers.push(("host".to_owned(), host(request.url)));
        headers.sort_unstable();
        let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let header_names = names.join(";");
        let canonical = Canonical {
            method: request.method,
            url: request.url,
            query: &canonical_query(request.url, &[]),
            headers: &headers,
            header_names: &header_names,
            body_hash: &body_hash,
        };
        let authorization = format!(
            "{ALGORITHM} Credential={}/{}, SignedHeaders={header_names}, Signature={}",
            self.credentials.access_key_id,
            self.scope(now),
            self.signature(&canonical, now)
        );
        signed.push(("authorization".to_owned(), authorization));
        signed
    }

    /// Returns an address that needs no credentials for some seconds.
    pub fn presigned_get(&self, url: &Url, seconds: u32, now: &Timestamp) -> Url {
        let credential = format!("{}/{}", self.credentials.access_key_id, self.scope(now));
        let seconds = seconds.to_string();
        let mut params = vec![
            ("X-Amz-Algorithm", ALGORITHM),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", &now.0),
            ("X-Amz-Expires", &seconds),
            ("X-Amz-SignedHeaders", "host"),
        ];
        if let Some(token) = &self.credentials.session_token {
            params.push(("X-Amz-Security-Token", token.expose()));
        }
        let query = canonical_query(url, &params);
        let canonical = Canonical {
            method: "GET",
            url,
            query: &query,
            headers: &[("host".to_owned(), host(url))],
            header_names: "host",
            body_hash: UNSIGNED,
        };
        let signature = self.signature(&canonical, now);
        let mut presigned = url.clone();
        presigned.set_query(Some(&format!("{query}&X-Amz-Signature={signature}")));
        presigned
    }

    fn scope(&self, now: &Timestamp) -> String {
        format!("{}/{}/{SERVICE}/aws4_request", now.date(), self.region)
    }

    fn signature(&self, canonical: &Canonical<'_>, now: &Timestamp) -> String {
        let scope = self.scope(now);
        let hash = sha256_hex(canonical.text().as_bytes());
        let text = format!("{ALGORITHM}\n{}\n{scope}\n{hash}", now.0);
        let secret = format!("AWS4{}", self.credentials.secret_access_key.expose());
        let key = [now.date(), self.region, SERVICE, "aws4_request"]
            .iter()
            .fold(secret.into_bytes(), |key, part| hmac(&key, part));
        hex(&hmac(&key, &text))
    }
}

impl Canonical<'_> {
    fn text(&self) -> String {
        let mut headers = String::new();
        for (name, value) in self.headers {
            // Writing to a string cannot fail.
            let _ = writeln!(headers, "{name}:{value}");
        }
        format!(
            "{}\n{}\n{}\n{headers}\n{}\n{}",
            self.method,
            self.url.path(),
            self.query,
            self.header_names,
            self.body_hash
        )
    }
}

/// Encodes a path for a signature: everything but letters, digits and `-._~/`.
pub fn encode_path(path: &str) -> String {
    utf8_percent_encode(path, &UNRESERVED_AND_SLASH).to_string()
}

/// Encodes a part of a query for a signature: everything but letters, digits and `-._~`.
pub fn encode_query(part: &str) -> String {
    utf8_percent_encode(part, &UNRESERVED).to_string()
}

/// Returns the SHA-256 hash of bytes in hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Returns the parameters of an address and further ones, encoded and sorted.
fn canonical_query(url: &Url, more: &[(&str, &str)]) -> String {
    let own = url
        .query_pairs()
        .map(|(name, value)| [encode_query(&name), encode_query(&value)]);
    let more = more
        .iter()
        .map(|(name, value)| [encode_query(name), encode_query(value)]);
    let mut pairs: Vec<_> = own.chain(more).collect();
    pairs.sort_unstable();
    let pairs: Vec<_> = pairs
        .into_iter()
        .map(|[name, value]| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

//! Amazon's Signature Version 4 for S3.
//!
//! See <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html>.

use std::{
    fmt::Write as _,
    time::{SystemTime, UNIX_EPOCH},
};

use hmac::{Hmac, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};
use url::Url;

use crate::Secret;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "s3";
/// What stands for the hash of a body that is not signed.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const UNRESERVED_AND_SLASH: AsciiSet = UNRESERVED.remove(b'/');

/// Who signs requests to S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Name of the key, no secret.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: Secret,
    /// What temporary keys come with.
    pub session_token: Option<Secret>,
}

/// Signs requests to one region.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// Who signs.
    pub credentials: &'a Credentials,
    /// Region of the bucket.
    pub region: &'a str,
}

/// A moment as signatures have it: `20130524T000000Z`.
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
        let seconds = time
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        // The civil date, after Howard Hinnant's "civil_from_days".
        let shifted = days + 719_468;
        let era = shifted / 146_097;
        let day_of_era = shifted % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        Self(format!(
            "{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z"
        ))
    }
}

impl Signer<'_> {
    /// Returns the headers of a signed request: those that it has, those that signing needs, and `authorization`.
    ///
    /// The path and the query of `url` must be encoded as [`uri_encoded`] does.
    pub fn signed_headers(
        &self,
        method: &str,
        url: &Url,
        headers: &[(&str, &str)],
        body: &[u8],
        now: &Timestamp,
    ) -> Vec<(String, String)> {
        let hash = sha256_hex(body);
        let mut signed: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        signed.push(("x-amz-content-sha256".to_owned(), hash.clone()));
        signed.push(("x-amz-date".to_owned(), now.0.clone()));
        if let Some(token) = &self.credentials.session_token {
            signed.push(("x-amz-security-token".to_owned(), token.expose().to_owned()));
        }
        let mut all = signed.clone();
        all.push(("host".to_owned(), host(url)));
        all.sort_unstable();
        let names: Vec<_> = all.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let request =
            canonical_request(method, url, &canonical_query(url, &[]), &all, &names, &hash);
        let signature = self.signature(&request, now);
        let authorization = format!(
            "{ALGORITHM} Credential={}/{}, SignedHeaders={names}, Signature={signature}",
            self.credentials.access_key_id,
            self.scope(now)
        );
        signed.push(("authorization".to_owned(), authorization));
        signed
    }

    /// Returns an address that anybody can get for some seconds.
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
        let headers = [("host".to_owned(), host(url))];
        let request = canonical_request("GET", url, &query, &headers, "host", UNSIGNED);
        let mut presigned = url.clone();
        presigned.set_query(Some(&format!(
            "{query}&X-Amz-Signature={}",
            self.signature(&request, now)
        )));
        presigned
    }

    fn scope(&self, now: &Timestamp) -> String {
        format!("{}/{}/{SERVICE}/aws4_request", now.date(), self.region)
    }

    fn signature(&self, canonical_request: &str, now: &Timestamp) -> String {
        let scope = self.scope(now);
        let hash = sha256_hex(canonical_request.as_bytes());
        let text = format!("{ALGORITHM}\n{}\n{scope}\n{hash}", now.0);
        let secret = format!("AWS4{}", self.credentials.secret_access_key.expose());
        let key = [now.date(), self.region, SERVICE, "aws4_request"]
            .iter()
            .fold(secret.into_bytes(), |key, part| hmac(&key, part));
        hex(&hmac(&key, &text))
    }
}

/// Encodes a path, or a part of a query, as signatures want it: everything but letters, digits and `-._~`, in a path also
/// `/`.
pub fn uri_encoded(text: &str, is_path: bool) -> String {
    let kept = if is_path {
        &UNRESERVED_AND_SLASH
    } else {
        &UNRESERVED
    };
    utf8_percent_encode(text, kept).to_string()
}

/// Returns the SHA-256 hash of bytes in hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn canonical_request(
    method: &str,
    url: &Url,
    query: &str,
    headers: &[(String, String)],
    names: &str,
    hash: &str,
) -> String {
    let mut lines = String::new();
    for (name, value) in headers {
        // Writing to a text cannot fail.
        let _ = writeln!(lines, "{name}:{value}");
    }
    format!(
        "{method}\n{}\n{query}\n{lines}\n{names}\n{hash}",
        url.path()
    )
}

/// Returns the parameters of an address and further ones, encoded and sorted.
fn canonical_query(url: &Url, more: &[(&str, &str)]) -> String {
    let own = url
        .query_pairs()
        .map(|(name, value)| [name, value].map(|part| uri_encoded(&part, false)));
    let more = more
        .iter()
        .map(|(name, value)| [name, value].map(|part| uri_encoded(part, false)));
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
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("keys of any length will do");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

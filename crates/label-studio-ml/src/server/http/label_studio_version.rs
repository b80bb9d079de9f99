//! The version of the Label Studio that sends a request.

use axum::http::{HeaderMap, header};

/// Name of Label Studio's connector in `User-Agent`.
const PRODUCT: &str = "heartex/";
/// The last minor version of Label Studio 1 that loses a whole batch when one entry has no
/// `result`. It stops storing predictions at that entry, and reports success.
const LAST_ALL_OR_NOTHING: u32 = 12;

/// Returns whether the caller is a Label Studio that loses a whole batch unless every entry is one
/// object with a `result`.
///
/// Versions up to 1.12 name themselves, as in `heartex/1.12.1+0.g779ee98.dirty`; newer ones may
/// send a commit instead (`heartex/44c2949`).
pub(crate) fn loses_batches(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT);
    let version = agent
        .and_then(|agent| agent.to_str().ok())
        .and_then(|agent| agent.split_once(PRODUCT))
        .map_or("", |(_, version)| version);
    let mut numbers = version
        .split('.')
        .map_while(|part| part.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(0), Some(_)) => true,
        (Some(1), Some(minor)) => minor <= LAST_ALL_OR_NOTHING,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn versions_up_to_1_12_lose_batches() {
        let cases = [
            ("heartex/1.8.2.post1+0.g63c5b5f.dirty", true),
            ("heartex/1.12.1+0.g779ee98.dirty", true),
            ("heartex/1.13.1+0.gd9b816a.dirty", false),
            ("heartex/1.20.0+0.gfb90125", false),
            ("heartex/ef89187+dirty", false),
            ("heartex/44c2949", false),
            ("heartex/2.0.0", false),
            ("python-requests/2.32", false),
        ];
        for (agent, expected) in cases {
            let agent_header = HeaderValue::from_static(agent);
            let headers = HeaderMap::from_iter([(header::USER_AGENT, agent_header)]);
            assert_eq!(loses_batches(&headers), expected, "{agent}");
        }
        assert!(!loses_batches(&HeaderMap::new()));
    }
}

//! HTTP basic authentication, checked in constant time.

use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use subtle::ConstantTimeEq;

use crate::{
    raw::model::ConnectionAddresses,
    server::{
        dashboard::files::wants_page,
        http::{errors::ApiError, throttle::Throttle},
        settings::args::ServerArgs,
    },
};

/// Header with the secret of webhooks.
pub(crate) const WEBHOOK_SECRET: &str = "X-Webhook-Secret";

/// Credentials that clients must send.
pub(crate) struct Auth {
    expected: [Vec<u8>; 2],
    webhook_secret: Option<Vec<u8>>,
    public_health: bool,
    throttle: Throttle,
}

/// Whether a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It has the right credentials, or needs none.
    Admitted,
    /// Its credentials are missing or wrong.
    Refused,
    /// Its address gave too many wrong ones; those of this request were not looked at. The number
    /// is the seconds until they will be.
    Throttled(u32),
}

impl Auth {
    /// Returns the credentials that the flags ask for; `None` if there are none.
    pub(crate) fn new(args: &ServerArgs) -> Option<Self> {
        let (user, pass) = args.basic_auth()?;
        let credentials = format!("{user}:{pass}");
        Some(Self {
            expected: [credentials.clone().into_bytes(), latin_1(&credentials)],
            webhook_secret: args
                .webhook_secret()
                .map(|secret| secret.as_bytes().to_vec()),
            public_health: args.public_health,
            throttle: Throttle::default(),
        })
    }

    /// Checks the credentials of a request.
    pub(crate) fn admit(&self, request: &Request) -> Admission {
        let path = request.uri().path();
        let is_health = match path {
            "/health" | "/live" | "/ready" => true,
            "/" => !wants_page(request.headers()),
            _ => false,
        };
        if self.public_health && is_health {
            return Admission::Admitted;
        }
        let addresses = request.extensions().get::<ConnectionAddresses>();
        let address = addresses.and_then(|addresses| Some(addresses.client?.ip()));
        if let Some(seconds) = address.and_then(|address| self.throttle.waits(address)) {
            return Admission::Throttled(seconds);
        }
        let given = |name: &str| request.headers().get(name)?.to_str().ok();
        let (header, secret) = (given(header::AUTHORIZATION.as_str()), given(WEBHOOK_SECRET));
        let is_right = header.and_then(credentials).is_some_and(|given| {
            let [utf_8, latin_1] = &self.expected;
            (given.ct_eq(utf_8) | given.ct_eq(latin_1)).into()
        });
        let is_secret = matches!(path, "/webhook" | "/train")
            && self
                .webhook_secret
                .as_ref()
                .zip(secret)
                .is_some_and(|(expected, given)| {
                    expected.as_slice().ct_eq(given.as_bytes()).into()
                });
        if is_right || is_secret {
            return Admission::Admitted;
        }
        let is_guess = header.is_some() || secret.is_some();
        if let Some(address) = address
            && is_guess
            && self.throttle.count(address)
        {
            tracing::warn!(%address, "too many wrong passwords: requests of this address are refused for a minute");
        }
        Admission::Refused
    }
}

/// Label Studio's HTTP library sends credentials in Latin-1 where it can.
fn latin_1(text: &str) -> Vec<u8> {
    let bytes: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
    bytes.unwrap_or_else(|_| text.as_bytes().to_vec())
}

fn credentials(header: &str) -> Option<Vec<u8>> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    BASE64_STANDARD.decode(encoded.trim()).ok()
}

/// Returns whether a page of another site wants to change something: a browser sends the password
/// with such requests, too.
pub(crate) fn is_forged(request: &Request) -> bool {
    let site = request.headers().get("sec-fetch-site");
    site.is_some_and(|site| site != "same-origin" && site != "none") && !request.method().is_safe()
}

/// Returns the answer to requests that pages of other sites made.
pub(crate) fn forged() -> Response {
    let detail = "pages of other sites may not use the backend";
    ApiError::new(StatusCode::FORBIDDEN, detail).into_response()
}

/// Returns the answer to requests of an address that gave too many wrong passwords.
pub(crate) fn throttled(seconds: u32) -> Response {
    let detail = "too many wrong passwords from this address; try again later";
    ApiError::throttled(detail, seconds).into_response()
}

/// Returns the answer to requests without the right credentials.
pub(crate) fn refusal() -> Response {
    let detail =
        "Unauthorized: credentials are missing or wrong; give the backend's user and password";
    let mut response = ApiError::new(StatusCode::UNAUTHORIZED, detail).into_response();
    let challenge = HeaderValue::from_static("Basic realm=\"Login required\"");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, challenge);
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::server::settings::basic_auth_args::BasicAuthArgs;

    fn auth() -> Auth {
        let args = ServerArgs {
            basic_auth: BasicAuthArgs::new("u", "p"),
            webhook_secret: Some("s3cret".to_owned()),
            ..ServerArgs::default()
        };
        Auth::new(&args).expect("user and password are given")
    }

    fn request(path: &str, client: &str, (name, value): (&str, &str)) -> Request {
        let request = Request::post(path).header(name, value);
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectionAddresses {
            client: Some(client.parse().unwrap()),
            server: None,
        });
        request
    }

    #[test]
    fn an_address_that_guesses_passwords_is_not_listened_to_for_a_while() {
        let auth = auth();
        let (right, wrong) = (
            ("authorization", "Basic dTpw"),
            ("authorization", "Basic dTp4"),
        );
        let from = |client: &str, header| auth.admit(&request("/predict", client, header));
        for _ in 0..50 {
            let without = from("192.0.2.1:1", ("accept", "*/*"));
            assert_eq!(without, Admission::Refused, "nothing was guessed");
        }
        let first = from("192.0.2.1:1", wrong);
        assert_eq!(first, Admission::Refused);
        while from("192.0.2.1:1", wrong) == Admission::Refused {}
        assert!(matches!(
            from("192.0.2.1:2", right),
            Admission::Throttled(1..)
        ));
        assert_eq!(from("192.0.2.2:1", right), Admission::Admitted);
    }

    #[test]
    fn the_secret_of_webhooks_opens_webhooks_only() {
        let auth = auth();
        let with = |path: &str, secret: &str| {
            auth.admit(&request(path, "192.0.2.1:1", (WEBHOOK_SECRET, secret)))
        };
        assert_eq!(with("/webhook", "s3cret"), Admission::Admitted);
        assert_eq!(with("/webhook", "secret"), Admission::Refused);
        assert_eq!(with("/predict", "s3cret"), Admission::Refused);
        assert_eq!(with("/jobs", "s3cret"), Admission::Refused);
    }
}

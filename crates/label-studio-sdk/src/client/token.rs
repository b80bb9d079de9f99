//! The two kinds of token that Label Studio gives out, and the access tokens made from one of them.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::ClientError;

/// An access token is replaced this long before it expires, so that it does not expire on its way.
const EXPIRY_MARGIN: Duration = Duration::from_secs(30);

/// How long an access token without an expiry date is used.
const UNKNOWN_LIFETIME: Duration = Duration::from_secs(60);

/// Kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Sent as it is (`Authorization: Token ...`).
    Legacy,
    /// A JWT that Label Studio exchanges for access tokens of a few minutes.
    PersonalAccess,
    /// A JWT that is such an access token already, sent as it is (`Authorization: Bearer ...`).
    Access,
}

/// A token and what has become of it.
pub(super) struct Credentials {
    token: String,
    kind: TokenKind,
    access: Mutex<AccessState>,
}

/// Asks Label Studio for an access token.
pub(super) type Exchange<'a> = &'a dyn Fn(&str) -> Result<String, ClientError>;

#[derive(Default)]
struct AccessState {
    header: Option<(String, Instant)>,
    failure: Option<(Instant, Arc<ClientError>)>,
}

/// Why a token cannot be used with any server.
#[derive(Debug, Clone, Copy)]
pub(super) enum TokenProblem {
    Malformed,
    Expired,
}

impl From<TokenProblem> for ClientError {
    fn from(problem: TokenProblem) -> Self {
        match problem {
            TokenProblem::Malformed => Self::MalformedToken,
            TokenProblem::Expired => Self::ExpiredToken,
        }
    }
}

impl Credentials {
    pub(super) fn parse(token: &str) -> Result<Self, TokenProblem> {
        let token = bare(token);
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenProblem::Malformed);
        }
        let claims = jwt_claims(token);
        let kind = match &claims {
            None => TokenKind::Legacy,
            Some(claims) if claims.get("token_type").and_then(Value::as_str) == Some("access") => {
                TokenKind::Access
            }
            Some(_) => TokenKind::PersonalAccess,
        };
        if let Some(claims) = claims
            && remaining(&claims).is_none_or(|time| time.is_zero())
        {
            return Err(TokenProblem::Expired);
        }
        Ok(Self {
            token: token.to_owned(),
            kind,
            access: Mutex::default(),
        })
    }

    pub(super) fn kind(&self) -> TokenKind {
        self.kind
    }

    /// Returns the value of the `Authorization` header.
    ///
    /// A `refused` value is not returned again. One thread at a time asks Label Studio; those that waited for it share
    /// its outcome.
    pub(super) fn header(
        &self,
        refused: Option<&str>,
        exchange: Exchange<'_>,
    ) -> Result<String, ClientError> {
        match self.kind {
            TokenKind::Legacy => return Ok(format!("Token {}", self.token)),
            TokenKind::Access => return Ok(format!("Bearer {}", self.token)),
            TokenKind::PersonalAccess => {}
        }
        let asked = Instant::now();
        let mut access = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((header, replace_at)) = &access.header
            && Instant::now() < *replace_at
            && refused != Some(header)
        {
            return Ok(header.clone());
        }
        if let Some((failed_at, error)) = &access.failure
            && *failed_at >= asked
        {
            return Err(ClientError::Exchange(Arc::clone(error)));
        }
        match exchange(&self.token) {
            Ok(token) => {
                let header = format!("Bearer {token}");
                access.header = Some((header.clone(), Instant::now() + usable_for(&token)));
                Ok(header)
            }
            Err(error) => {
                let error = Arc::new(error);
                access.failure = Some((Instant::now(), Arc::clone(&error)));
                Err(ClientError::Exchange(error))
            }
        }
    }
}

/// Takes off what stands before the token in a header that was copied whole (`Authorization: Token`, `Bearer`), and
/// quotes, which `docker run --env-file` keeps.
fn bare(token: &str) -> &str {
    let token = token.trim();
    let without = |quote| token.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(quoted) = without('"').or_else(|| without('\'')) {
        return bare(quoted);
    }
    let Some((word, rest)) = token.split_once(char::is_whitespace) else {
        return token;
    };
    let is_known = ["authorization:", "token", "bearer"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(word));
    if is_known { bare(rest) } else { token }
}

/// How long an access token may be used. Its lifetime counts rather than its end, since clocks differ.
fn usable_for(access_token: &str) -> Duration {
    let Some(claims) = jwt_claims(access_token) else {
        return UNKNOWN_LIFETIME;
    };
    let lifetime = match (seconds(&claims, "iat"), seconds(&claims, "exp")) {
        (Some(issued), Some(expires)) => expires.saturating_sub(issued),
        (None, Some(_)) => remaining(&claims).unwrap_or_default(),
        (_, None) => UNKNOWN_LIFETIME,
    };
    lifetime.saturating_sub(EXPIRY_MARGIN)
}

/// Time until a token expires; `None` when it has no expiry date.
fn remaining(claims: &Map<String, Value>) -> Option<Duration> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Some(seconds(claims, "exp")?.saturating_sub(now))
}

fn seconds(claims: &Map<String, Value>, name: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(claims.get(name)?.as_f64()?).ok()
}

/// Returns the claims of a JWT, without checking its signature: only Label Studio can.
fn jwt_claims(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.split('.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || signature.is_empty() {
        return None;
    }
    json_object(header)?;
    json_object(claims)
}

fn json_object(part: &str) -> Option<Map<String, Value>> {
    let json = BASE64_URL_SAFE_NO_PAD
        .decode(part.trim_end_matches('='))
        .ok()?;
    serde_json::from_slice(&json).ok()
}

//! Tokens as Label Studio issues them.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// Returns a JWT with these claims and an invalid signature.
pub fn jwt(claims: &Value) -> String {
    let part = |json: &Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    format!(
        "{}.{}.c2lnbmF0dXJl",
        part(&json!({ "alg": "HS256", "typ": "JWT" })),
        part(claims)
    )
}

/// Returns a personal access token that expires after a day.
pub fn personal_access_token() -> String {
    jwt(&json!({ "token_type": "refresh", "exp": now() + 86400 }))
}

/// Returns an access token that expires after five minutes; `name` makes it different from others.
pub fn access_token(name: &str) -> String {
    jwt(&json!({ "token_type": "access", "jti": name, "iat": now(), "exp": now() + 300 }))
}

/// Returns the seconds since 1970.
///
/// # Panics
/// When the clock is set to an earlier time.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("the clock is past 1970").as_secs()
}

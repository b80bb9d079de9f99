//! IBM Cloud's tokens: an API key is exchanged for one that is good for an hour.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use label_studio_services::{Deadline, Secret, ServiceClient, ServiceError, ServiceRequest};
use serde::Deserialize;

/// Credentials that IBM's own clients send: user and password `bx`.
const CLIENT: &str = "Basic Yng6Yng=";
const GRANT_TYPE: &str = "urn:ibm:params:oauth:grant-type:apikey";
/// Lifetime of a token when the answer does not tell it: that of IBM's.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(60 * 60);
/// Time before its end from which a token is not sent any more.
const MARGIN: Duration = Duration::from_secs(30);

/// Why there is no token.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the API key cannot be exchanged for a token; check WATSONX_API_KEY")]
pub struct IamError(#[source] Arc<ServiceError>);

/// Exchanges an API key for tokens and keeps the last one.
///
/// When four fifths of its life are over, one caller fetches the next while the others go on with the old one. When there
/// is none, all wait for the one exchange under way.
#[derive(Debug)]
pub struct IamTokens {
    client: ServiceClient,
    request: ServiceRequest,
    state: Mutex<State>,
    exchanged: Condvar,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Token>,
    is_exchanging: bool,
    n_exchanges: u64,
    failure: Option<IamError>,
}

#[derive(Debug, Clone)]
struct Token {
    access: Secret,
    renew_at: Instant,
    end: Instant,
}

#[derive(Deserialize)]
struct Exchanged {
    access_token: String,
    expires_in: Option<u64>,
}

impl IamTokens {
    /// Creates the exchange. Nothing is sent yet.
    pub fn new(client: ServiceClient, url: &str, api_key: &Secret) -> Result<Self, ServiceError> {
        let fields = [("apikey", api_key.expose()), ("grant_type", GRANT_TYPE)];
        let request = ServiceRequest::post(url)?
            .header("authorization", CLIENT)
            .header("accept", "application/json")
            .form(&fields)
            .hiding(api_key);
        Ok(Self {
            client,
            request,
            state: Mutex::default(),
            exchanged: Condvar::new(),
        })
    }

    /// Returns a token that is good now.
    pub fn token(&self, deadline: Deadline) -> Result<Secret, IamError> {
        let mut state = self.lock();
        let mut waited_for = None;
        loop {
            let now = Instant::now();
            if let Some(token) = state.token.as_ref().filter(|token| now < token.end) {
                if now < token.renew_at || state.is_exchanging {
                    return Ok(token.access.clone());
                }
                let current = token.access.clone();
                return Ok(self.exchange(state, deadline).unwrap_or_else(|error| {
                    tracing::warn!(%error, "the token is not renewed; using the old one");
                    current
                }));
            }
            if !state.is_exchanging {
                match (&state.failure, waited_for) {
                    (Some(failure), Some(n)) if state.n_exchanges != n => {
                        return Err(failure.clone());
                    }
                    _ => return self.exchange(state, deadline),
                }
            }
            waited_for = Some(state.n_exchanges);
            let time = deadline.remaining().min(DEFAULT_LIFETIME);
            if time.is_zero() {
                return self.no_time_left(deadline);
            }
            let waited = self.exchanged.wait_timeout(state, time);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Forgets a token that the service has refused.
    pub fn forget(&self, refused: &Secret) {
        let mut state = self.lock();
        if state
            .token
            .as_ref()
            .is_some_and(|token| token.access == *refused)
        {
            state.token = None;
        }
    }

    fn exchange(
        &self,
        mut state: MutexGuard<'_, State>,
        deadline: Deadline,
    ) -> Result<Secret, IamError> {
        state.is_exchanging = true;
        drop(state);
        let asked_at = Instant::now();
        let exchanged: Result<Exchanged, _> = self.client.json(&self.request, deadline);
        let mut state = self.lock();
        state.is_exchanging = false;
        state.n_exchanges += 1;
        self.exchanged.notify_all();
        match exchanged {
            Ok(exchanged) => {
                let token = Token::new(exchanged, asked_at);
                let access = token.access.clone();
                state.token = Some(token);
                state.failure = None;
                tracing::debug!("exchanged the API key for a token");
                Ok(access)
            }
            Err(error) => {
                let error = IamError(Arc::new(error));
                state.failure = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Asks with no time left, which says so.
    fn no_time_left(&self, deadline: Deadline) -> Result<Secret, IamError> {
        let exchanged: Result<Exchanged, _> = self.client.json(&self.request, deadline);
        exchanged
            .map(|exchanged| exchanged.access_token.into())
            .map_err(|error| IamError(Arc::new(error)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Token {
    fn new(exchanged: Exchanged, asked_at: Instant) -> Self {
        let lifetime = exchanged.expires_in.map(Duration::from_secs);
        let lifetime = lifetime
            .unwrap_or(DEFAULT_LIFETIME)
            .min(DEFAULT_LIFETIME * 24);
        let end = asked_at + lifetime.saturating_sub(MARGIN.min(lifetime / 10));
        Self {
            access: exchanged.access_token.into(),
            renew_at: asked_at + lifetime / 5 * 4,
            end,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroUsize, thread};

    use label_studio_ml::json;
    use label_studio_services::{ServiceOptions, map_parallel};
    use label_studio_testing::{Answer, MockService};

    use super::*;

    fn tokens(service: &MockService) -> IamTokens {
        let options = ServiceOptions {
            retries: 0,
            ..ServiceOptions::default()
        };
        let client = ServiceClient::new(options).unwrap();
        let key = Secret::from("api-key-1");
        IamTokens::new(client, &service.url("/oidc/token"), &key).unwrap()
    }

    fn ageing(access: &str) -> Token {
        Token {
            access: access.into(),
            renew_at: Instant::now(),
            end: Instant::now() + DEFAULT_LIFETIME,
        }
    }

    fn many(tokens: &IamTokens) -> Vec<Secret> {
        let n_threads = NonZeroUsize::new(8).unwrap();
        map_parallel(&[(); 8], n_threads, |()| {
            tokens.token(Deadline::predict()).unwrap()
        })
    }

    #[test]
    fn one_caller_renews_a_token_before_its_end() {
        let service = MockService::start(|_| {
            // Long enough for the others to come by.
            thread::yield_now();
            Answer::json(&json!({ "access_token": "new-token", "expires_in": 3600 }))
        });
        let tokens = tokens(&service);
        tokens.lock().token = Some(ageing("old-token"));
        for token in many(&tokens) {
            assert!(["old-token", "new-token"].contains(&token.expose()));
        }
        assert_eq!(service.received().len(), 1, "one exchange is enough");
        assert_eq!(
            tokens.token(Deadline::predict()).unwrap().expose(),
            "new-token"
        );
    }

    #[test]
    fn a_token_that_cannot_be_renewed_is_used_to_its_end() {
        let service = MockService::start(|_| Answer::status(503));
        let tokens = tokens(&service);
        tokens.lock().token = Some(ageing("old-token"));
        assert_eq!(
            tokens.token(Deadline::predict()).unwrap().expose(),
            "old-token"
        );
    }

    #[test]
    fn a_token_is_renewed_after_four_fifths_and_never_used_in_its_last_moments() {
        let asked_at = Instant::now();
        let lives = |seconds| {
            let exchanged = Exchanged {
                access_token: "t".to_owned(),
                expires_in: seconds,
            };
            let token = Token::new(exchanged, asked_at);
            [token.renew_at, token.end].map(|at| (at - asked_at).as_secs())
        };
        assert_eq!(lives(Some(3600)), [2880, 3570]);
        assert_eq!(lives(Some(10)), [8, 9]);
        assert_eq!(lives(None), [2880, 3570]);
        assert_eq!(lives(Some(u64::MAX)), [69120, 86370]);
    }
}

//! One call to a worker, and its retry after the worker ended.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use label_studio_ml::raw::RawError;
use tokio::sync::watch;

use super::{
    frame::{self, Answer, Route},
    pool::{Ended, Lease, Need, Pool},
};
use crate::wire;

/// Tries of a call whose worker ends without the call being known as the cause.
const MAX_TRIES: u32 = 3;
/// Time for a process to end after its connection did.
const SOON: Duration = Duration::from_secs(2);

/// A call to a worker.
pub(super) struct Call {
    pub(super) id: u64,
    pub(super) route: Route,
    /// Head of a request to a custom route.
    pub(super) custom_head: Option<String>,
    pub(super) body: Bytes,
    /// Whether it is retried after its worker ended.
    pub(super) is_retryable: bool,
    pub(super) deadline: Option<Duration>,
}

/// Why a worker returned no answer.
enum Lost {
    /// Its process ended.
    Ended(Ended),
    /// Its process runs, but closed the connection.
    Closed,
    /// It took longer than the call may take.
    Hung(Duration),
}

impl Call {
    /// Makes the call. If its worker ends, a retryable call is tried again, exclusively in a worker, since another call may
    /// have been the cause. `is_wanted` returns whether the caller still waits.
    pub(super) async fn run(
        &self,
        pool: &Arc<Pool>,
        mut lease: Lease,
        is_wanted: impl Fn() -> bool,
    ) -> Result<Answer, RawError> {
        let mut n_tries = 1;
        loop {
            let lost = match self.exchange(&mut lease).await {
                Ok(answer) => return Ok(answer),
                Err(lost) => lost,
            };
            match lost {
                Lost::Closed => {
                    lease.give_up("closed a connection".to_owned());
                    return Err(self.failure(
                        500,
                        "the model's process closed the connection; it is restarted".to_owned(),
                    ));
                }
                Lost::Hung(deadline) => {
                    let seconds = deadline.as_secs();
                    lease.give_up(format!("did not answer a call within {seconds} s"));
                    return Err(self.failure(
                        504,
                        format!(
                            "the model did not answer within {seconds} s; its process is restarted"
                        ),
                    ));
                }
                Lost::Ended(ended) => {
                    drop(lease);
                    let is_over = ended.is_caused_by_call
                        || n_tries == MAX_TRIES
                        || !self.is_retryable
                        || !is_wanted();
                    if is_over {
                        return Err(self.failure(500, format!(
                            "the model's process {} while it worked on this request; it is restarted",
                            ended.how
                        )));
                    }
                    n_tries += 1;
                    lease = pool.lease_exclusive().await?;
                }
            }
        }
    }

    async fn exchange(&self, lease: &mut Lease) -> Result<Answer, Lost> {
        let Some(mut stream) = lease.stream.take() else {
            return Err(how_it_ended(&mut lease.ended).await);
        };
        let talk = async {
            let custom_head = self.custom_head.as_deref();
            frame::send(&mut stream, self.route, self.id, custom_head, &self.body).await?;
            frame::receive(&mut stream).await
        };
        let hung = async {
            match self.deadline {
                Some(deadline) => {
                    tokio::time::sleep(deadline).await;
                    deadline
                }
                None => std::future::pending().await,
            }
        };
        let mut ended = lease.ended.clone();
        tokio::select! {
            biased;
            answer = talk => match answer {
                Ok(answer) => {
                    lease.stream = Some(stream);
                    lease.has_answered = true;
                    return Ok(answer);
                }
                Err(error) => tracing::debug!(call = self.id, "connection to a worker lost: {error}"),
            },
            // A child of the process may still hold the connection.
            _ = ended.wait_for(Option::is_some) => {}
            deadline = hung => return Err(Lost::Hung(deadline)),
        }
        Err(how_it_ended(&mut lease.ended).await)
    }

    /// Reads the answer of a route that answers with JSON.
    pub(super) fn read(&self, answer: Answer) -> Result<Bytes, RawError> {
        let Answer { status, body } = answer;
        if status < 400 {
            return Ok(body);
        }
        Err(wire::failure(status, &body, wire::request_id(self.id)))
    }

    pub(super) fn failure(&self, status: u16, detail: String) -> RawError {
        RawError::new(status, detail).with_request_id(wire::request_id(self.id))
    }
}

async fn how_it_ended(ended: &mut watch::Receiver<Option<Ended>>) -> Lost {
    let waited = tokio::time::timeout(SOON, ended.wait_for(Option::is_some)).await;
    let known = match waited {
        Ok(Ok(ended)) => ended.clone(),
        Ok(Err(_)) | Err(_) => None,
    };
    known.map_or(Lost::Closed, Lost::Ended)
}

/// Returns the kind of work of a route.
pub(super) const fn need(route: Route) -> Need {
    match route {
        Route::Predict | Route::Custom => Need::Prediction,
        Route::Setup => Need::Setup,
        Route::Webhook => Need::Training,
    }
}

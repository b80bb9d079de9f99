//! One call to a worker, and its retry after the worker ended.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use label_studio_ml::raw::RawError;
use tokio::sync::watch;

use super::{
    connection::Connection,
    frame::{self, Answer, CallFrame, Frames, Route},
    job::Job,
    pool::{Lease, Pool},
    worker::{Ended, Need},
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
    /// The job of a training.
    pub(super) job: Option<Job>,
}

/// Why a worker returned no answer.
enum Lost {
    /// Its process ended.
    Ended(Ended),
    /// Its process runs, but closed the connection.
    Closed,
    /// It took longer than the call may take.
    Hung(Duration),
    /// It went on for this time after its job was cancelled.
    Overdue(Duration),
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
                    return Err(self.cut_short("closed the connection"));
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
                Lost::Overdue(grace) => {
                    let seconds = grace.as_secs();
                    let mut ended = lease.ended.clone();
                    lease.give_up(format!(
                        "was killed, since a training went on for {seconds} s after it was cancelled"
                    ));
                    // The next training of the project may start once this one has ended.
                    let _ = ended.wait_for(Option::is_some).await;
                    return Err(self.cancelled());
                }
                Lost::Ended(ended) => {
                    drop(lease);
                    let is_over = ended.is_caused_by_call
                        || n_tries == MAX_TRIES
                        || !self.is_retryable
                        || !is_wanted();
                    if is_over {
                        let how = format!("{} while it worked on this request", ended.how);
                        return Err(self.cut_short(&how));
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
        let talk = self.talk(&mut stream);
        let hung = async {
            match self.deadline {
                Some(deadline) => {
                    tokio::time::sleep(deadline).await;
                    deadline
                }
                None => std::future::pending().await,
            }
        };
        let overdue = async {
            match &self.job {
                Some(job) => job.overdue().await,
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
            grace = overdue => return Err(Lost::Overdue(grace)),
        }
        Err(how_it_ended(&mut lease.ended).await)
    }

    /// Sends the call and receives its answer. What the worker says about the job until then is passed on.
    async fn talk(&self, stream: &mut Connection) -> io::Result<Answer> {
        let call = CallFrame {
            route: self.route,
            call: self.id,
            custom_head: self.custom_head.as_deref(),
            body: &self.body,
        };
        call.send(stream).await?;
        let Some(job) = &self.job else {
            return frame::receive(stream).await;
        };
        let mut frames = Frames::default();
        let mut is_cancelled = false;
        loop {
            tokio::select! {
                frame = frames.next(stream) => match frame? {
                    answer if answer.is_last() => return Ok(answer),
                    news => job.take(news),
                },
                () = job.cancelled(), if !is_cancelled => {
                    is_cancelled = true;
                    frame::send_cancel(stream, self.id).await?;
                }
            }
        }
    }

    /// Reads the answer of a route that answers with JSON.
    pub(super) fn read(&self, answer: Answer) -> Result<Bytes, RawError> {
        let Answer { status, body } = answer;
        if status < 400 {
            return Ok(body);
        }
        Err(wire::failure(status, &body, wire::request_id(self.id)))
    }

    /// Waits for something, unless the job is cancelled meanwhile.
    pub(super) async fn unless_cancelled<T>(
        &self,
        wait: impl Future<Output = Result<T, RawError>>,
    ) -> Result<T, RawError> {
        let Some(job) = &self.job else {
            return wait.await;
        };
        tokio::select! {
            biased;
            () = job.cancelled() => Err(self.cancelled()),
            waited = wait => waited,
        }
    }

    /// Returns the error of a call whose process ended.
    fn cut_short(&self, how: &str) -> RawError {
        let detail = format!("the model's process {how}; it is restarted");
        RawError::cut_short(detail).with_request_id(wire::request_id(self.id))
    }

    /// Returns the error of a training that was cancelled.
    fn cancelled(&self) -> RawError {
        self.failure(409, "the training was cancelled".to_owned())
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

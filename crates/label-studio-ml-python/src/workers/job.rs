//! The job of a training: what the worker says about it, and its cancellation.

use std::time::Duration;

use bytes::Buf;
use label_studio_ml::JobContext;
use tokio::sync::watch;

use super::frame::{Answer, LOG, PROGRESS};

/// The job of a call to `fit`.
pub(super) struct Job {
    context: JobContext,
    cancelled: watch::Receiver<bool>,
    grace: Duration,
}

impl Job {
    /// Creates a job whose worker gets `grace` to end it once it is cancelled.
    pub(super) fn new(context: &JobContext, grace: Duration) -> Self {
        let (cancel, cancelled) = watch::channel(false);
        context.on_cancel(move || {
            cancel.send_replace(true);
        });
        Self {
            context: context.clone(),
            cancelled,
            grace,
        }
    }

    /// Waits until the job is cancelled.
    pub(super) async fn cancelled(&self) {
        let mut cancelled = self.cancelled.clone();
        if cancelled
            .wait_for(|is_cancelled| *is_cancelled)
            .await
            .is_err()
        {
            // The context is gone, and no one can cancel any more.
            std::future::pending::<()>().await;
        }
    }

    /// Waits until the job is cancelled and its worker has had its time to end it, which is returned.
    pub(super) async fn overdue(&self) -> Duration {
        self.cancelled().await;
        tokio::time::sleep(self.grace).await;
        self.grace
    }

    /// Passes on a frame about the job. Frames that newer workers may send are ignored.
    pub(super) fn take(&self, news: Answer) {
        let Answer { status, mut body } = news;
        match status {
            PROGRESS => {
                if let Ok(fraction) = body.try_get_f64() {
                    self.context
                        .progress(fraction, &String::from_utf8_lossy(&body));
                }
            }
            LOG => self.context.log(&String::from_utf8_lossy(&body)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::{BufMut, BytesMut};

    use super::*;

    fn frame(status: u16, body: impl FnOnce(&mut BytesMut)) -> Answer {
        let mut bytes = BytesMut::new();
        body(&mut bytes);
        let body = bytes.freeze();
        Answer { status, body }
    }

    #[test]
    fn frames_of_a_worker_become_news_of_the_job() {
        let context = JobContext::default();
        let job = Job::new(&context, Duration::ZERO);
        job.take(frame(PROGRESS, |body| {
            body.put_f64(0.25);
            body.put_slice("epoch 1 — ✓".as_bytes());
        }));
        job.take(frame(LOG, |body| body.put_slice(b"loss 0.5")));
        job.take(frame(PROGRESS, |body| {
            body.put_f64(f64::NAN);
            body.put_slice(b"epoch 2");
        }));
        job.take(frame(PROGRESS, |body| body.put_slice(b"short")));
        job.take(frame(99, |body| body.put_slice(b"unknown")));
        job.take(frame(LOG, |body| body.put_slice(b"\xff")));
        let report = context.report();
        assert_eq!(report.progress, Some(0.25));
        assert_eq!(report.message.as_deref(), Some("epoch 2"));
        assert_eq!(report.log.as_deref(), Some("loss 0.5\n\u{fffd}\n"));
    }

    #[test]
    fn a_job_is_overdue_after_its_cancellation_only() {
        let context = JobContext::default();
        let job = Job::new(&context, Duration::ZERO);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            tokio::select! {
                biased;
                grace = job.overdue() => panic!("overdue after {grace:?}"),
                () = std::future::ready(()) => {}
            }
            context.cancel();
            assert_eq!(job.overdue().await, Duration::ZERO);
        });
    }
}

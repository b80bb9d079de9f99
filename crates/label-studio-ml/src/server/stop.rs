//! What stops a server: signals, or its caller.

use anyhow::Context;
use tokio::{
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

/// When the server stops.
pub(crate) enum Stop {
    /// At SIGTERM or Ctrl-C; a second signal stops it at once.
    AtSignals(EndSignals),
    /// When the sender sends or is dropped.
    When(oneshot::Receiver<()>),
}

impl Stop {
    pub(crate) async fn first(&mut self) -> &'static str {
        match self {
            Self::AtSignals(signals) => signals.next().await,
            Self::When(stop) => {
                let _ = stop.await;
                "stopped"
            }
        }
    }

    pub(crate) async fn second(self) {
        match self {
            Self::AtSignals(mut signals) => {
                signals.next().await;
            }
            Self::When(_) => std::future::pending().await,
        }
    }
}

/// The signals that stop a server.
pub(crate) struct EndSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl EndSignals {
    /// Catches the signals from now on, within the runtime. Call this before the server listens,
    /// since a signal may arrive from then on.
    pub(crate) fn catch(runtime: &Runtime) -> anyhow::Result<Self> {
        let _within = runtime.enter();
        let catch = |kind| signal(kind).context("cannot handle signals");
        Ok(Self {
            terminate: catch(SignalKind::terminate())?,
            interrupt: catch(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "Ctrl-C",
        }
    }
}

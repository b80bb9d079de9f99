//! The fork server: a process that has imported the model and forks workers, so that a crashed worker is replaced in
//! milliseconds. It answers no calls.

use std::{
    collections::HashMap,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::ExitStatus,
    sync::{Arc, Weak},
    time::Duration,
};

use serde::Deserialize;
use serde_json::json;
use tokio::{
    net::unix::{OwnedReadHalf, OwnedWriteHalf},
    sync::{Mutex, Notify, mpsc, watch},
};

use super::{
    frame,
    process::{Forked, Handle, Process, Program, Socket, StartError, describe},
};

/// Time between the end of a fork server and its restart.
const PAUSE: Duration = Duration::from_millis(500);

/// The process that workers are forked from. It is started for the first worker, and again when it ends.
pub(super) struct ForkServer {
    program: Program,
    state: Mutex<State>,
    has_ended: Arc<Notify>,
}

enum State {
    Absent,
    Running(Running),
    /// The model cannot be forked.
    Unusable,
}

struct Running {
    orders: OwnedWriteHalf,
    forked: mpsc::UnboundedReceiver<Forked>,
}

/// A message of the fork server.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Message {
    Forked { forked: i32 },
    Ended { ended: i32, status: i32 },
}

impl ForkServer {
    /// Must be called within a tokio runtime.
    pub(super) fn new(program: Program) -> Arc<Self> {
        let has_ended = Arc::new(Notify::new());
        let fork_server = Arc::new(Self {
            program,
            state: Mutex::new(State::Absent),
            has_ended: Arc::clone(&has_ended),
        });
        tokio::spawn(keep(Arc::downgrade(&fork_server), has_ended));
        fork_server
    }

    /// Forks a worker, or spawns it where forking is not possible.
    pub(super) async fn start_worker(&self, n_connections: usize) -> Result<Process, StartError> {
        let socket = Socket::new()?;
        match self.fork(socket.path()).await? {
            Some(forked) => {
                let handle = Handle::of_forked(forked);
                self.program.greet(handle, socket, n_connections).await
            }
            None => self.program.start(n_connections).await,
        }
    }

    async fn fork(&self, path: &Path) -> Result<Option<Forked>, StartError> {
        let mut state = self.state.lock().await;
        // The process may have ended in the meantime.
        for _ in 0..2 {
            self.launch(&mut state).await?;
            let State::Running(running) = &mut *state else {
                return Ok(None);
            };
            if let Some(forked) = running.fork(path).await {
                return Ok(Some(forked));
            }
            *state = State::Absent;
        }
        tracing::warn!("no worker could be forked; it is spawned instead");
        Ok(None)
    }

    /// Starts the process unless it runs.
    async fn launch(&self, state: &mut State) -> Result<(), StartError> {
        match state {
            State::Unusable => return Ok(()),
            State::Running(running) if !running.forked.is_closed() => return Ok(()),
            State::Running(_) | State::Absent => *state = State::Absent,
        }
        let socket = Socket::new()?;
        let handle = self.program.spawn(Some("--fork-server"), &socket)?;
        let process = self.program.greet(handle, socket, 0).await?;
        if let Some(reason) = process.cannot_fork {
            tracing::warn!("workers are spawned, since they cannot be forked: {reason}");
            *state = State::Unusable;
            return Ok(());
        }
        let mut handle = process.handle;
        let Some(control) = handle.take_control() else {
            return Ok(());
        };
        tracing::info!(
            process = handle.id(),
            "workers are forked from this process"
        );
        let (messages, orders) = control.into_split();
        let (sender, forked) = mpsc::unbounded_channel();
        let has_ended = Arc::clone(&self.has_ended);
        tokio::spawn(async move {
            listen(messages, sender).await;
            let how = handle.ended().await;
            let how = how.map_or_else(|error| error.to_string(), describe);
            tracing::warn!("the fork server {how}");
            has_ended.notify_one();
        });
        *state = State::Running(Running { orders, forked });
        Ok(())
    }
}

impl Running {
    /// Returns `None` when the fork server has ended.
    async fn fork(&mut self, path: &Path) -> Option<Forked> {
        let order = json!({ "fork": path });
        frame::send_json(&mut self.orders, &order).await.ok()?;
        self.forked.recv().await
    }
}

/// Reads messages of the fork server until it ends.
async fn listen(mut messages: OwnedReadHalf, forked: mpsc::UnboundedSender<Forked>) {
    let mut running: HashMap<i32, watch::Sender<Option<ExitStatus>>> = HashMap::new();
    while let Ok(message) = frame::receive_json(&mut messages).await {
        match message {
            Message::Forked { forked: id } => {
                let (sender, ended) = watch::channel(None);
                running.insert(id, sender);
                // The receiver is gone when the server ends.
                let _ = forked.send(Forked { id, ended });
            }
            Message::Ended { ended, status } => {
                if let Some(worker) = running.remove(&ended) {
                    worker.send_replace(Some(ExitStatus::from_raw(status)));
                }
            }
        }
    }
}

/// Restarts the fork server when it has ended, so that the next fork does not wait for it.
async fn keep(fork_server: Weak<ForkServer>, has_ended: Arc<Notify>) {
    loop {
        has_ended.notified().await;
        tokio::time::sleep(PAUSE).await;
        let Some(fork_server) = fork_server.upgrade() else {
            return;
        };
        let mut state = fork_server.state.lock().await;
        if let Err(error) = fork_server.launch(&mut state).await {
            let error = anyhow::Error::from(error);
            tracing::warn!("workers cannot be forked now: {error:#}");
        }
    }
}

//! One worker process: how it is started, how it says that its model is loaded, and how it ends.

use std::{
    ffi::OsString, io, os::unix::process::ExitStatusExt, path::PathBuf, process::ExitStatus,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    net::{UnixListener, UnixStream},
    process::{Child, Command},
};

use super::frame;

/// How long a process that was told to end may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The command of a worker, and what it is told once it runs.
#[derive(Debug, Clone)]
pub struct Program {
    /// Program to run.
    pub program: PathBuf,
    /// Its arguments; the path of the socket to connect to comes after them.
    pub args: Vec<OsString>,
    /// Environment variables over those of this process.
    pub env: Vec<(OsString, OsString)>,
    /// What the worker is told: a JSON object, to which the number of connections is added.
    pub task: Value,
}

/// What a worker says when its model is loaded, or cannot be.
#[derive(Debug, Deserialize)]
struct Greeting {
    #[serde(default)]
    model_class: String,
    error: Option<String>,
}

/// A process whose model is loaded.
pub(super) struct Process {
    pub(super) model_class: String,
    /// One connection for each call that the process takes at once.
    pub(super) connections: Vec<UnixStream>,
    pub(super) handle: Handle,
}

/// A running process. It is ended with everything that it started when the handle is dropped.
pub(super) struct Handle {
    child: Child,
    group: Option<Pid>,
    control: Option<UnixStream>,
}

/// Why a process could not be started.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error("cannot run {}", program.display())]
    Run {
        program: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot make a socket for a worker")]
    Socket(#[source] io::Error),
    #[error("its process {} before the model was loaded; its last words are in the log", describe(*.0))]
    Ended(ExitStatus),
    #[error("{0}")]
    Model(String),
}

impl Program {
    /// Starts a process and waits until its model is loaded.
    pub(super) async fn start(&self, n_connections: usize) -> Result<Process, StartError> {
        // The folder is private to this user, and gone once the worker is connected.
        let folder = tempfile::Builder::new()
            .prefix("lsml-")
            .tempdir()
            .map_err(StartError::Socket)?;
        let path = folder.path().join("worker");
        let listener = UnixListener::bind(&path).map_err(StartError::Socket)?;
        let mut command = Command::new(&self.program);
        command.args(&self.args).arg(&path);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        // A group of its own: Ctrl-C is this process's to handle, and what the worker starts ends with it.
        command.stdin(std::process::Stdio::null()).process_group(0);
        let child = command.kill_on_drop(true).spawn();
        let child = child.map_err(|source| StartError::Run {
            program: self.program.clone(),
            source,
        })?;
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let mut handle = Handle {
            child,
            group,
            control: None,
        };
        let connected = tokio::select! {
            connected = connect(&listener, &self.task, n_connections) => connected,
            ended = handle.child.wait() => return Err(ended.map_or_else(StartError::Socket, StartError::Ended)),
        };
        match connected {
            Ok((
                control,
                connections,
                Greeting {
                    error: None,
                    model_class,
                },
            )) => {
                handle.control = Some(control);
                Ok(Process {
                    model_class,
                    connections,
                    handle,
                })
            }
            Ok((
                _,
                _,
                Greeting {
                    error: Some(error), ..
                },
            )) => Err(StartError::Model(error)),
            Err(error) => match tokio::time::timeout(PATIENCE, handle.child.wait()).await {
                Ok(Ok(status)) => Err(StartError::Ended(status)),
                Ok(Err(_)) | Err(_) => Err(StartError::Socket(error)),
            },
        }
    }
}

async fn connect(
    listener: &UnixListener,
    task: &Value,
    n_connections: usize,
) -> io::Result<(UnixStream, Vec<UnixStream>, Greeting)> {
    let (mut control, _) = listener.accept().await?;
    let mut task = task.clone();
    task["connections"] = n_connections.into();
    frame::send_json(&mut control, &task).await?;
    let greeting: Greeting = frame::receive_json(&mut control).await?;
    let mut connections = Vec::new();
    if greeting.error.is_none() {
        for _ in 0..n_connections {
            connections.push(listener.accept().await?.0);
        }
    }
    Ok((control, connections, greeting))
}

impl Handle {
    pub(super) fn id(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// Waits until the process ends, then ends what it left running.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await;
        self.kill();
        status
    }

    /// Ends the process and everything that it started, at once.
    pub(super) fn kill(&self) {
        if let Some(group) = self.group {
            // Nothing of it may be left.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// Lets the process end in its own way for a while.
    pub(super) async fn stop(mut self) {
        self.control = None;
        let _ = tokio::time::timeout(PATIENCE, self.child.wait()).await;
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Says how a process ended, after “its process”.
pub(super) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(9)) => {
            "was killed (signal 9), as the system does when memory runs out".to_owned()
        }
        (None, Some(11)) => "crashed (segmentation fault, signal 11)".to_owned(),
        (None, Some(6)) => "aborted (signal 6)".to_owned(),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

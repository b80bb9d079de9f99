//! One worker process: its start, its greeting once the model is loaded, and its end.

use std::{
    ffi::OsString,
    io,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use label_studio_ml::raw::OwnRoute;
use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, waitpgid};
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::AsyncReadExt,
    net::{UnixListener, UnixStream},
    process::{Child, Command},
    sync::watch,
};

use super::{connection::Connection, frame};
use crate::{private_socket, wire};

/// Time for a process to end by itself.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time between looks for killed processes that can be reaped, and the number of looks.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
const MAX_LOOKS: u32 = 40;

/// The command of a worker, and the task it gets.
#[derive(Debug, Clone)]
pub struct Program {
    /// Program to run.
    pub program: PathBuf,
    /// Its arguments; the path of the socket to connect to is appended.
    pub args: Vec<OsString>,
    /// Environment variables over those of this process.
    pub env: Vec<(OsString, OsString)>,
    /// Task for the worker: a JSON object, to which the number of connections is added.
    pub task: Value,
}

/// First message of a worker: its model is loaded, or why it is not.
#[derive(Debug, Deserialize)]
struct Greeting {
    #[serde(default)]
    model_class: String,
    #[serde(default)]
    has_custom_routes: bool,
    #[serde(default)]
    own_routes: Vec<String>,
    error: Option<String>,
    cannot_fork: Option<String>,
}

/// A process whose model is loaded.
pub(super) struct Process {
    pub(super) model_class: String,
    /// Whether the app has custom routes.
    pub(super) has_custom_routes: bool,
    /// Routes that the app answers instead of the server.
    pub(super) own_routes: Vec<OwnRoute>,
    /// Why no worker can be forked from it, for a fork server.
    pub(super) cannot_fork: Option<String>,
    /// One connection per concurrent call.
    pub(super) connections: Vec<Connection>,
    pub(super) handle: Handle,
}

/// A running process. Dropping the handle kills it with its children.
pub(super) struct Handle {
    running: Running,
    group: Option<Pid>,
    control: Option<UnixStream>,
}

enum Running {
    Child(Child),
    Forked(Forked),
}

/// A worker that the fork server forked; the fork server also reports how it ended.
pub(super) struct Forked {
    pub(super) id: i32,
    pub(super) ended: watch::Receiver<Option<ExitStatus>>,
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

/// The socket that a worker connects to.
pub(super) struct Socket {
    listener: UnixListener,
    path: PathBuf,
    /// Private to this user, and gone once the worker is connected.
    _folder: TempDir,
}

impl Socket {
    pub(super) fn new() -> Result<Self, StartError> {
        let folder = private_socket::folder().map_err(StartError::Socket)?;
        let path = folder.path().join("worker");
        let listener = UnixListener::bind(&path).map_err(StartError::Socket)?;
        Ok(Self {
            listener,
            path,
            _folder: folder,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Accepts a connection of a process of this user; others are refused.
    async fn accept(&self) -> io::Result<UnixStream> {
        loop {
            let (stream, _) = self.listener.accept().await?;
            if private_socket::is_from_this_user(&stream)? {
                return Ok(stream);
            }
            private_socket::warn_of_stranger(&self.path);
        }
    }
}

impl Program {
    /// Starts a process and waits until its model is loaded.
    pub(super) async fn start(&self, n_connections: usize) -> Result<Process, StartError> {
        let socket = Socket::new()?;
        let handle = self.spawn(None, &socket)?;
        self.greet(handle, socket, n_connections).await
    }

    /// Starts a process that will connect to the socket.
    pub(super) fn spawn(&self, mode: Option<&str>, socket: &Socket) -> Result<Handle, StartError> {
        let mut command = Command::new(&self.program);
        command.args(&self.args).args(mode).arg(socket.path());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        // A separate process group: Ctrl-C reaches only this process, and the worker's children can be killed with it.
        command.stdin(std::process::Stdio::null()).process_group(0);
        let child = command.kill_on_drop(true).spawn();
        let child = child.map_err(|source| StartError::Run {
            program: self.program.clone(),
            source,
        })?;
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        Ok(Handle {
            running: Running::Child(child),
            group,
            control: None,
        })
    }

    /// Sends a process its task and waits until its model is loaded.
    pub(super) async fn greet(
        &self,
        mut handle: Handle,
        socket: Socket,
        n_connections: usize,
    ) -> Result<Process, StartError> {
        let connected = tokio::select! {
            connected = connect(&socket, &self.task, n_connections) => connected,
            ended = handle.wait() => return Err(ended.map_or_else(StartError::Socket, StartError::Ended)),
        };
        let (control, connections, greeting) = match connected {
            Ok(connected) => connected,
            Err(error) => {
                return match tokio::time::timeout(PATIENCE, handle.wait()).await {
                    Ok(Ok(status)) => Err(StartError::Ended(status)),
                    Ok(Err(_)) | Err(_) => Err(StartError::Socket(error)),
                };
            }
        };
        if let Some(error) = greeting.error {
            return Err(StartError::Model(error));
        }
        handle.control = Some(control);
        Ok(Process {
            model_class: greeting.model_class,
            has_custom_routes: greeting.has_custom_routes,
            own_routes: wire::own_routes(&greeting.own_routes),
            cannot_fork: greeting.cannot_fork,
            connections,
            handle,
        })
    }
}

async fn connect(
    socket: &Socket,
    task: &Value,
    n_connections: usize,
) -> io::Result<(UnixStream, Vec<Connection>, Greeting)> {
    let mut control = socket.accept().await?;
    let mut task = task.clone();
    task["connections"] = n_connections.into();
    frame::send_json(&mut control, &task).await?;
    let greeting: Greeting = frame::receive_json(&mut control).await?;
    let mut connections = Vec::new();
    if greeting.error.is_none() {
        for _ in 0..n_connections {
            connections.push(Connection::new(socket.accept().await?)?);
        }
    }
    Ok((control, connections, greeting))
}

impl Forked {
    /// Returns `None` when the fork server ended before it could report.
    async fn ended(&mut self) -> Option<ExitStatus> {
        *self.ended.wait_for(Option::is_some).await.ok()?
    }
}

impl Handle {
    /// Returns the handle of a forked worker.
    pub(super) fn of_forked(forked: Forked) -> Self {
        Self {
            group: Pid::from_raw(forked.id),
            running: Running::Forked(forked),
            control: None,
        }
    }

    pub(super) fn id(&self) -> u32 {
        match &self.running {
            Running::Child(child) => child.id().unwrap_or_default(),
            Running::Forked(forked) => forked.id.cast_unsigned(),
        }
    }

    /// Takes the control connection.
    pub(super) fn take_control(&mut self) -> Option<UnixStream> {
        self.control.take()
    }

    /// Waits until the process ends, then kills its children. The status is unknown when the fork server ended first.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        let status = self.wait().await;
        self.kill();
        if let Some(group) = self.group {
            tokio::spawn(reap(group));
        }
        status
    }

    async fn wait(&mut self) -> io::Result<ExitStatus> {
        let forked = match &mut self.running {
            Running::Child(child) => return child.wait().await,
            Running::Forked(forked) => forked,
        };
        if let Some(status) = forked.ended().await {
            return Ok(status);
        }
        match &mut self.control {
            // It sends nothing more, but the connection closes when it ends.
            Some(control) => drop(control.read_u8().await),
            None => tokio::time::sleep(PATIENCE).await,
        }
        Err(io::Error::other("ended"))
    }

    /// Kills the process and its children.
    pub(super) fn kill(&self) {
        if let Some(group) = self.group {
            // The group may be empty already.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// Closes the control connection and waits a while for the process to end by itself.
    pub(super) async fn stop(mut self) {
        self.control = None;
        let _ = tokio::time::timeout(PATIENCE, self.wait()).await;
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reaps what a worker had started: such processes become children of this one where it is the first of a container.
async fn reap(group: Pid) {
    for _ in 0..MAX_LOOKS {
        match waitpgid(group, WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => tokio::time::sleep(BETWEEN_LOOKS).await,
            // There are none.
            Err(_) => return,
        }
    }
}

/// Returns how a process ended, as predicate for the subject "its process".
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

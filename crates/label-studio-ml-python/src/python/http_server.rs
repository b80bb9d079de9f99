//! The HTTP server in the process of the Python model, which it calls as a function.

use std::{
    io::{self, IoSliceMut},
    mem::MaybeUninit,
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::Context;
use bytes::Bytes;
use label_studio_ml::{
    Event, JobContext, Model, PredictRequest, Predictions, Project, ServerArgs, Value,
    raw::{
        ListeningSocket, OwnRoute, RawAnswer, RawCustomAnswer, RawCustomRequest, RawError,
        RawModel, RawRequest, http::Response, serve_raw_on,
    },
    settings::BasicAuthArgs,
};
use pyo3::{exceptions::PyOSError, prelude::*, types::PyBytes};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg,
    sockopt::socket_domain,
};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::{private_socket, wire};

/// A server on sockets that listen already. Python sends them over the Unix socket `path`, since safe code cannot take
/// ownership of a file descriptor number.
#[pyclass(frozen)]
pub(super) struct Server {
    folder: TempDir,
    receiver: UnixListener,
    function: Arc<Function>,
    args: ServerArgs,
    stop: Mutex<Option<oneshot::Sender<()>>>,
    stopped: Mutex<Option<oneshot::Receiver<()>>>,
}

/// An app as Python passes it.
#[derive(FromPyObject)]
struct ServedApp {
    answer: Py<PyAny>,
    custom: Option<Py<PyAny>>,
    model_class: String,
    threads: u16,
    basic_auth: Option<(String, String)>,
    own_routes: Vec<String>,
}

/// The Python functions that answer. `answer` maps path, body, request id and the [`Job`] of a training or `None` to status and
/// body; `custom`, for custom routes if the app has any, maps the request's head, body and id to status and answer.
struct Function {
    answer: Py<PyAny>,
    custom: Option<Py<PyAny>>,
    own_routes: Vec<OwnRoute>,
    model_class: String,
    n_threads: u16,
    n_calls: AtomicU64,
}

/// The job that a training runs as.
#[pyclass(frozen)]
pub(super) struct Job(JobContext);

/// A model in this process.
struct InProcess(Arc<Function>);

#[pymethods]
impl Server {
    /// Reads the variables of the server's flags, but for those that are settings of the app.
    #[new]
    fn new(app: ServedApp) -> PyResult<Self> {
        let folder = private_socket::folder()?;
        let receiver = UnixListener::bind(folder.path().join("server"))?;
        let basic_auth = app
            .basic_auth
            .map(|(user, pass)| BasicAuthArgs::new(user, pass));
        let args = ServerArgs {
            threads: app.threads,
            basic_auth: basic_auth.unwrap_or_default(),
            ..ServerArgs::default()
        };
        let (stop, stopped) = oneshot::channel();
        Ok(Self {
            folder,
            receiver,
            function: Arc::new(Function {
                answer: app.answer,
                custom: app.custom,
                own_routes: wire::own_routes(&app.own_routes),
                model_class: app.model_class,
                n_threads: app.threads,
                n_calls: AtomicU64::new(0),
            }),
            args,
            stop: Mutex::new(Some(stop)),
            stopped: Mutex::new(Some(stopped)),
        })
    }

    /// Path of the Unix socket that receives the listening sockets.
    #[getter]
    fn path(&self) -> PathBuf {
        self.folder.path().join("server")
    }

    /// Receives `n_sockets` listening sockets, then serves until it is stopped.
    fn serve(&self, py: Python<'_>, n_sockets: usize) -> PyResult<()> {
        let ended = py.detach(|| {
            let sockets = self.receive(n_sockets)?;
            let stopped = lock(&self.stopped)
                .take()
                .context("the server has been used before")?;
            let model = Arc::new(InProcess(Arc::clone(&self.function)));
            serve_raw_on(&self.args, sockets, || Ok(model), stopped)
        });
        ended.map_err(|error| PyOSError::new_err(format!("{error:#}")))
    }

    /// Stops the server: it accepts no new calls and finishes running ones first.
    fn stop(&self) {
        if let Some(stop) = lock(&self.stop).take() {
            // The receiver is gone when the server has ended.
            let _ = stop.send(());
        }
    }
}

#[pymethods]
impl Job {
    /// Tells users how far the job is, from 0 to 1 or NaN, and what it does now.
    fn progress(&self, fraction: f64, message: &str) {
        self.0.progress(fraction, message);
    }

    /// Adds a line to the job's log.
    fn log(&self, line: &str) {
        self.0.log(line);
    }

    /// Returns whether the job should end.
    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

impl Server {
    /// Accepts the connection of this process; those of other users are refused.
    fn accept(&self) -> anyhow::Result<UnixStream> {
        loop {
            let (stream, _) = self.receiver.accept()?;
            if private_socket::is_from_this_user(&stream)? {
                return Ok(stream);
            }
            private_socket::warn_of_stranger(&self.path());
        }
    }

    fn receive(&self, n_sockets: usize) -> anyhow::Result<Vec<ListeningSocket>> {
        let stream = self.accept()?;
        let receive = |_| -> io::Result<ListeningSocket> {
            let mut byte = [0];
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            let mut buffer = [IoSliceMut::new(&mut byte)];
            recvmsg(
                &stream,
                &mut buffer,
                &mut ancillary,
                RecvFlags::CMSG_CLOEXEC,
            )?;
            let files = ancillary.drain().filter_map(|message| match message {
                RecvAncillaryMessage::ScmRights(files) => Some(files),
                _ => None,
            });
            let file = files.flatten().next();
            let file = file.ok_or(io::ErrorKind::UnexpectedEof)?;
            Ok(match socket_domain(&file)? {
                AddressFamily::UNIX => ListeningSocket::Unix(file.into()),
                _ => ListeningSocket::Tcp(file.into()),
            })
        };
        let sockets: io::Result<_> = (0..n_sockets).map(receive).collect();
        sockets.context("the sockets did not arrive")
    }
}

impl Function {
    fn call(&self, path: &str, body: &[u8], job: Option<Job>) -> Result<Bytes, RawError> {
        let request_id = self.request_id();
        let (status, answer) = ask(&request_id, |py| {
            let args = (path, PyBytes::new(py, body), &request_id, job);
            self.answer.call1(py, args)
        })?;
        if status < 400 {
            return Ok(answer);
        }
        Err(wire::failure(status, &answer, request_id))
    }

    fn call_custom_route(
        &self,
        request: &RawCustomRequest,
    ) -> Result<Option<Response<Bytes>>, RawError> {
        let Some(custom) = &self.custom else {
            return Ok(None);
        };
        let request_id = self.request_id();
        let head = wire::custom_head(&request.head, request.addresses, None);
        let (status, answer) = ask(&request_id, |py| {
            let body = PyBytes::new(py, &request.request.body);
            custom.call1(py, (head, body, &request_id))
        })?;
        wire::custom_reply(&request.head.method, status, answer)
            .map_err(|error| RawError::new(500, format!("{error:#}")).with_request_id(request_id))
    }

    fn request_id(&self) -> String {
        let call = self.n_calls.fetch_add(1, Ordering::Relaxed);
        wire::request_id(u64::from(std::process::id()) << 32 | call)
    }
}

/// Calls a Python function that returns a status and a body.
fn ask(
    request_id: &str,
    call: impl FnOnce(Python<'_>) -> PyResult<Py<PyAny>>,
) -> Result<(u16, Bytes), RawError> {
    let answer = Python::attach(|py| {
        let answer = call(py)?;
        let (status, body): (u16, Bound<'_, PyBytes>) = answer.extract(py)?;
        PyResult::Ok((status, Bytes::copy_from_slice(body.as_bytes())))
    });
    answer.map_err(|error| RawError::new(500, error.to_string()).with_request_id(request_id))
}

/// Runs a call on a blocking thread, as every call that waits for Python.
async fn on_blocking_thread<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, RawError> + Send + 'static,
) -> Result<T, RawError> {
    let call = tokio::task::spawn_blocking(call);
    call.await
        .unwrap_or_else(|error| Err(RawError::new(500, error.to_string())))
}

fn answer(function: &Arc<Function>, path: &'static str, request: RawRequest) -> RawAnswer {
    let function = Arc::clone(function);
    Box::pin(on_blocking_thread(move || {
        function.call(path, &request.body, None)
    }))
}

impl Model for InProcess {
    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let body = wire::predict_body(project, request);
        wire::predictions(&self.0.call("/predict", body.as_bytes(), None)?)
    }

    fn fit(&self, project: &Project, event: &Event) -> anyhow::Result<Value> {
        let body = wire::event_body(event);
        let job = Job(project.job().clone());
        wire::fit_result(&self.0.call("/webhook", body.as_bytes(), Some(job))?)
    }

    fn name(&self) -> &str {
        &self.0.model_class
    }
}

impl RawModel for InProcess {
    fn predict_raw(&self, request: RawRequest) -> RawAnswer {
        answer(&self.0, "/predict", request)
    }

    fn setup_raw(&self, request: RawRequest) -> RawAnswer {
        answer(&self.0, "/setup", request)
    }

    fn has_custom_routes(&self) -> bool {
        self.0.custom.is_some()
    }

    fn own_routes(&self) -> &[OwnRoute] {
        &self.0.own_routes
    }

    fn custom_route_raw(&self, request: RawCustomRequest) -> RawCustomAnswer {
        let function = Arc::clone(&self.0);
        Box::pin(on_blocking_thread(move || {
            function.call_custom_route(&request)
        }))
    }

    fn permits(&self) -> usize {
        self.0.n_threads.into()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

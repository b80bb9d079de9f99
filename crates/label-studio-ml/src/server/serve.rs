//! Runs a server, from the loader to the end.

use std::{io::ErrorKind, net::TcpListener as StdTcpListener, sync::Arc, time::Duration};

use anyhow::Context;
use tokio::{
    runtime::Runtime,
    sync::{oneshot, watch},
    task::JoinSet,
};

use crate::{
    model::{Model, short_type_name},
    raw::model::RawModel,
    server::{
        announce,
        backend::Backend,
        http::{connections, socket::ListeningSocket},
        logging,
        settings::{args::ServerArgs, store_check},
        stop::{EndSignals, Stop},
        worker_threads,
    },
};

/// Worker processes that one I/O thread keeps busy.
const MAX_PROCESSES_OF_ONE_THREAD: u16 = 2;

/// Serves a model until SIGTERM or Ctrl-C.
///
/// The server listens first and runs `loader` behind it, so health checks pass while weights load.
/// At the end it takes no new requests, lets running calls and trainings finish, and then drops the
/// model.
///
/// # Errors
/// When the address cannot be listened on, when the flags contradict each other, or, with
/// `--check`, when the model cannot be loaded; it is then loaded before anything listens.
pub fn serve<M: Model>(
    args: &ServerArgs,
    loader: impl FnOnce() -> anyhow::Result<M> + Send + 'static,
) -> anyhow::Result<()> {
    let _flush = logging::start::start(args);
    logging::start::log_panics();
    let loader: Box<dyn FnOnce() -> anyhow::Result<M> + Send> = if args.check {
        let model = loader().context("the model could not be loaded")?;
        tracing::info!(model = model.name(), "the model can be loaded");
        Box::new(move || Ok(model))
    } else {
        Box::new(loader)
    };
    let (resources, degraded) = store_check::check(args.resources()?)?;
    let mut backend = Backend::new(args, short_type_name::<M>(), resources);
    backend.degraded = degraded;
    let backend = Arc::new(backend);
    let runtime = worker_threads::runtime()?;
    let stop = Stop::AtSignals(EndSignals::catch(&runtime)?);
    let socket = listen(args)?;
    announce::sockets(std::slice::from_ref(&socket));
    announce::settings(args, &backend);
    load(&backend, loader)?;
    let stopping = watch::Sender::new(false);
    let mut has_ended = worker_threads::start(&backend, &socket, &stopping)?;
    drop(socket);
    let servers = async {
        while let Some(ended) = has_ended.recv().await {
            ended?;
        }
        Ok(())
    };
    runtime.block_on(until_ended(servers, args, &stopping, stop))
}

/// Serves a raw model until SIGTERM or Ctrl-C.
///
/// The server listens first. `start` begins to load the model, within the server's runtime, and
/// does not wait for it.
///
/// # Errors
/// When the address cannot be listened on, when the flags contradict each other, or when `start`
/// fails.
pub fn serve_raw<M: RawModel>(
    args: &ServerArgs,
    start: impl FnOnce() -> anyhow::Result<Arc<M>>,
) -> anyhow::Result<()> {
    let _flush = logging::start::start(args);
    let runtime = raw_runtime(args.workers)?;
    let stop = Stop::AtSignals(EndSignals::catch(&runtime)?);
    let socket = listen(args)?;
    let server = RawServer {
        runtime,
        args,
        sockets: vec![socket],
        stop,
    };
    server.serve(start)
}

/// Serves like [`serve_raw`] on sockets that listen already, until `stop` has a value or is closed.
///
/// Signals stay the caller's.
///
/// # Errors
/// When the flags contradict each other, or when `start` fails.
pub fn serve_raw_on<M: RawModel>(
    args: &ServerArgs,
    sockets: Vec<ListeningSocket>,
    start: impl FnOnce() -> anyhow::Result<Arc<M>>,
    stop: oneshot::Receiver<()>,
) -> anyhow::Result<()> {
    let _flush = logging::start::start(args);
    for socket in &sockets {
        socket.set_nonblocking()?;
    }
    let server = RawServer {
        runtime: raw_runtime(1)?,
        args,
        sockets,
        stop: Stop::When(stop),
    };
    server.serve(start)
}

/// A server of a raw model, before it starts.
struct RawServer<'a> {
    runtime: Runtime,
    args: &'a ServerArgs,
    /// Sockets that listen already.
    sockets: Vec<ListeningSocket>,
    stop: Stop,
}

impl RawServer<'_> {
    /// Starts the model within the runtime, and serves until it is stopped.
    fn serve<M: RawModel>(
        self,
        start: impl FnOnce() -> anyhow::Result<Arc<M>>,
    ) -> anyhow::Result<()> {
        let Self {
            runtime,
            args,
            sockets,
            stop,
        } = self;
        let (resources, degraded) = store_check::check(args.resources()?)?;
        let model = {
            let _within = runtime.enter();
            start()?
        };
        let mut backend = Backend::of_raw(args, Arc::clone(&model), resources);
        backend.degraded = degraded;
        let backend = Arc::new(backend);
        announce::sockets(&sockets);
        announce::settings(args, &backend);
        let stopping = watch::Sender::new(false);
        let servers = async {
            let mut servers = JoinSet::new();
            for socket in sockets {
                let (backend, stopping) = (Arc::clone(&backend), stopping.subscribe());
                servers
                    .spawn(async move { worker_threads::serve(&backend, socket, stopping).await });
            }
            while let Some(ended) = servers.join_next().await {
                ended??;
            }
            backend.training.drain().await;
            Ok(())
        };
        let ended = runtime.block_on(async {
            let ended = until_ended(servers, args, &stopping, stop).await;
            model.stop().await;
            ended
        });
        runtime.shutdown_background();
        ended
    }
}

/// Returns the runtime for a raw model. One thread keeps up with several worker processes, and
/// passing data between client and worker wakes no other thread.
fn raw_runtime(n_processes: u16) -> std::io::Result<Runtime> {
    if n_processes <= MAX_PROCESSES_OF_ONE_THREAD {
        return worker_threads::runtime();
    }
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
}

fn listen(args: &ServerArgs) -> anyhow::Result<ListeningSocket> {
    connections::raise_file_limit();
    let address = (args.host.as_str(), args.port);
    let listener = StdTcpListener::bind(address).map_err(|error| {
        let fix = match error.kind() {
            ErrorKind::AddrInUse => "; is another backend running there?",
            ErrorKind::PermissionDenied => "; take a port from 1024 on",
            _ => "; is it an address of this machine?",
        };
        let (host, port) = address;
        anyhow::Error::new(error).context(format!("cannot listen on {host}:{port}{fix}"))
    })?;
    listener.set_nonblocking(true)?;
    Ok(ListeningSocket::Tcp(listener))
}

fn load<M: Model>(
    backend: &Arc<Backend>,
    loader: impl FnOnce() -> anyhow::Result<M> + Send + 'static,
) -> anyhow::Result<()> {
    let backend = Arc::clone(backend);
    let run = move || match backend.served.slot.load(loader) {
        Ok(model) => tracing::info!(model = model.name(), "model loaded"),
        Err(reason) => tracing::error!("the model could not be loaded: {reason}"),
    };
    std::thread::Builder::new()
        .name("loader".to_owned())
        .spawn(run)?;
    Ok(())
}

/// Serves until all of `servers` have ended, or the time to drain after `stop` is over.
async fn until_ended(
    servers: impl Future<Output = anyhow::Result<()>>,
    args: &ServerArgs,
    stopping: &watch::Sender<bool>,
    mut stop: Stop,
) -> anyhow::Result<()> {
    let deadline = async {
        let reason = stop.first().await;
        tracing::info!(reason, "ending: running calls are finished first");
        stopping.send_replace(true);
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(args.drain_seconds)) => {
                tracing::warn!("calls still run after the time to drain; ended without them");
            }
            () = stop.second() => tracing::warn!("ended at once at the second signal"),
        }
    };
    tokio::select! {
        ended = servers => ended,
        () = deadline => Ok(()),
    }
}

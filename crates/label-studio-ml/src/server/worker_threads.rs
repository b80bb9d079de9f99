//! The worker threads of the server. Each has its own runtime and connections: waking another
//! thread costs more than most requests.

use std::{sync::Arc, thread};

use anyhow::Context;
use tokio::{
    runtime::{Builder, Runtime},
    sync::{mpsc, watch},
};

use crate::server::{
    backend::Backend,
    calls::executor::n_worker_threads,
    http::{app, connections, socket::ListeningSocket},
};

/// Serves on [`n_worker_threads`] threads until `stopping`. Each thread sends its result once its
/// connections and all trainings have ended.
pub(crate) fn start(
    backend: &Arc<Backend>,
    socket: &ListeningSocket,
    stopping: &watch::Sender<bool>,
) -> anyhow::Result<mpsc::UnboundedReceiver<anyhow::Result<()>>> {
    let (ended, has_ended) = mpsc::unbounded_channel();
    for _ in 0..n_worker_threads() {
        let runtime = runtime()?;
        let socket = socket.try_clone().context("cannot share the socket")?;
        let (backend, stopping, ended) = (Arc::clone(backend), stopping.subscribe(), ended.clone());
        let run = move || {
            let result = runtime.block_on(async {
                serve(&backend, socket, stopping).await?;
                backend.training.drain().await;
                Ok(())
            });
            runtime.shutdown_background();
            // The receiver is gone once the time to drain is over.
            let _ = ended.send(result);
        };
        thread::Builder::new()
            .name("server".to_owned())
            .spawn(run)
            .context("cannot start a thread")?;
    }
    Ok(has_ended)
}

/// Serves on one socket until `stopping`, then finishes the running requests.
pub(crate) async fn serve(
    backend: &Arc<Backend>,
    socket: ListeningSocket,
    mut stopping: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let stopped = async move {
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    connections::serve(socket, app::router(Arc::clone(backend)), stopped).await?;
    Ok(())
}

/// Returns a runtime of one thread.
pub(crate) fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

//! From a loader to a running server, and to its end.

use std::{net::TcpListener as StdTcpListener, sync::Arc, time::Duration};

use anyhow::Context;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use super::{ServerArgs, app, backend::Backend, logging, services};
use crate::{Model, model::short_type_name};

/// Serves a model until SIGTERM or Ctrl-C.
///
/// The server listens first and runs `loader` behind it, so health checks pass while weights load. At the end it takes
/// no new requests, lets running calls and trainings finish, and then drops the model.
///
/// # Errors
/// When the address cannot be listened on, when the flags contradict each other, or, with `--check`, when the model
/// cannot be loaded.
pub fn serve<M: Model>(
    args: &ServerArgs,
    loader: impl FnOnce() -> anyhow::Result<M> + Send + 'static,
) -> anyhow::Result<()> {
    logging::start(args);
    if args.check {
        let model = loader().context("the model could not be loaded")?;
        tracing::info!(model = model.name(), "the model can be loaded");
        return Ok(());
    }
    let backend = Arc::new(Backend::new(
        args,
        short_type_name::<M>(),
        services::from_args(args)?,
    ));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let listener = listen(args)?;
    announce(args, &backend, &listener);
    load(&backend, loader)?;
    let ended = runtime.block_on(run(
        Arc::clone(&backend),
        listener,
        Duration::from_secs(args.drain_seconds),
    ));
    runtime.shutdown_background();
    ended
}

fn listen(args: &ServerArgs) -> anyhow::Result<StdTcpListener> {
    let address = (args.host.as_str(), args.port);
    let listener = StdTcpListener::bind(address).with_context(|| {
        format!(
            "cannot listen on {}:{}; is another backend running there?",
            args.host, args.port
        )
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn announce(args: &ServerArgs, backend: &Backend, listener: &StdTcpListener) {
    if let Ok(address) = listener.local_addr() {
        tracing::info!("listening on http://{address}");
    }
    if args.workers > 1 {
        tracing::info!(
            workers = args.workers,
            "one process serves a native backend; raise THREADS for more calls"
        );
    }
    if backend.services.client.is_none() {
        tracing::warn!(
            "LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY are not set: uploads and annotations stay out of reach"
        );
    }
    if backend.auth.is_some() {
        tracing::warn!(
            "Label Studio sends webhooks without credentials: add an Authorization header to the project's webhook, \
             or annotation events will be refused"
        );
    }
}

fn load<M: Model>(
    backend: &Arc<Backend>,
    loader: impl FnOnce() -> anyhow::Result<M> + Send + 'static,
) -> anyhow::Result<()> {
    let slot = Arc::clone(&backend.model);
    let run = move || match slot.load(loader) {
        Ok(model) => tracing::info!(model = model.name(), "model loaded"),
        Err(reason) => tracing::error!("the model could not be loaded: {reason}"),
    };
    std::thread::Builder::new()
        .name("loader".to_owned())
        .spawn(run)?;
    Ok(())
}

async fn run(
    backend: Arc<Backend>,
    listener: StdTcpListener,
    drain: Duration,
) -> anyhow::Result<()> {
    use axum::serve::ListenerExt;
    let listener = TcpListener::from_std(listener)?.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let (stop, mut stopping) = tokio::sync::watch::channel(false);
    tokio::spawn(async move {
        let reason = end_signal().await;
        tracing::info!(reason, "ending: running calls are finished first");
        stop.send_replace(true);
    });
    let mut stopped = stopping.clone();
    let server = axum::serve(listener, app::router(Arc::clone(&backend))).with_graceful_shutdown(
        async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        },
    );
    let deadline = async move {
        let _ = stopping.wait_for(|stop| *stop).await;
        tokio::select! {
            () = tokio::time::sleep(drain) => tracing::warn!("calls still run after the time to drain; ended without them"),
            _ = end_signal() => tracing::warn!("ended at once at the second signal"),
        }
    };
    tokio::select! {
        ended = async {
            server.await?;
            backend.training.drain().await;
            anyhow::Ok(())
        } => ended,
        () = deadline => Ok(()),
    }
}

async fn end_signal() -> &'static str {
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            tracing::error!("SIGTERM cannot be handled: {error}");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = tokio::signal::ctrl_c() => "Ctrl-C",
    }
}

//! What the log says at the start of a server.

use crate::server::{backend::Backend, http::socket::ListeningSocket, settings::args::ServerArgs};

/// Logs where the server listens, and what to do next.
pub(crate) fn sockets(sockets: &[ListeningSocket]) {
    for socket in sockets {
        tracing::info!("listening on {socket}");
    }
    if let Some(socket) = sockets.first() {
        tracing::info!(
            "next, in Label Studio: open the project's Settings, Model, Connect Model, and enter {socket} \
             (or the address of this machine)"
        );
    }
}

/// Logs what settings are missing or have no effect.
pub(crate) fn settings(args: &ServerArgs, backend: &Backend) {
    if args.workers > 1 && backend.served.raw.is_none() {
        tracing::info!(
            workers = args.workers,
            "one process serves a native backend; raise THREADS for more calls"
        );
    }
    let label_studio = &args.label_studio;
    let missing = match (label_studio.url(), label_studio.api_key()) {
        (None, None) => Some("LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY are not set"),
        (None, Some(_)) => Some("LABEL_STUDIO_URL is not set"),
        (Some(_), None) => Some("LABEL_STUDIO_API_KEY is not set"),
        // A client that could not be made with them is reported where it is made.
        (Some(_), Some(_)) => None,
    };
    if let Some(missing) = missing {
        tracing::warn!("{missing}: uploaded files and annotations are not available");
    }
    match (&backend.auth, &backend.resources.client) {
        (None, _) if args.basic_auth.is_incomplete() => tracing::warn!(
            "only one of BASIC_AUTH_USER and BASIC_AUTH_PASS is set: the backend answers everyone until both are"
        ),
        (None, _) => {}
        (Some(_), Some(_)) => tracing::info!(
            "Label Studio sends webhooks without credentials: each project's webhook gets them when the project is set up"
        ),
        (Some(_), None) => tracing::warn!(
            "Label Studio sends webhooks without credentials: add an Authorization header to the project's webhook, \
             or annotation events will be refused"
        ),
    }
}

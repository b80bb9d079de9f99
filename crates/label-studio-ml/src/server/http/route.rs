//! What is known of a route: by the router, by the metrics, and by the description for programs.

use axum::routing::MethodRouter;

use crate::server::backend::SharedBackend;

/// A route that every backend has.
pub(crate) struct Route {
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    /// Schema of the body that is posted; a route that takes none is read with GET.
    pub(crate) takes: Option<&'static str>,
    /// Schema of what it answers, and the statuses of that.
    pub(crate) gives: (&'static str, &'static [&'static str]),
    /// Makes the handler; the routes are what one of them describes.
    pub(crate) handler: fn(&'static [Self]) -> MethodRouter<SharedBackend>,
}

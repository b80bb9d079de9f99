//! The description of a route, for the router, the metrics and `OpenAPI`.

use axum::routing::MethodRouter;

use crate::server::backend::SharedBackend;

/// A route that every backend has.
pub(crate) struct Route {
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    /// Schema of the posted body; a route without one takes GET.
    pub(crate) takes: Option<&'static str>,
    /// Schema of the answer, and its statuses.
    pub(crate) gives: (&'static str, &'static [&'static str]),
    /// Makes the handler. The argument is the table of routes, for the route that describes it.
    pub(crate) handler: fn(&'static [Self]) -> MethodRouter<SharedBackend>,
}

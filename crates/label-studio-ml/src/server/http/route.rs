//! The description of a route, for the router, the metrics and `OpenAPI`.

use axum::routing::MethodRouter;

use crate::server::backend::SharedBackend;

/// A route that every backend has.
pub(crate) struct Route {
    pub(crate) method: Method,
    /// Path, with the names of its parameters in braces.
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) query: &'static [Parameter],
    /// Schema of the posted body.
    pub(crate) takes: Option<&'static str>,
    /// Schema of the answer, and its statuses.
    pub(crate) gives: (&'static str, &'static [&'static str]),
    /// Makes the handler. The argument is the table of routes, for the route that describes it.
    pub(crate) handler: fn(&'static [Self]) -> MethodRouter<SharedBackend>,
}

/// A parameter of a query.
#[derive(Clone, Copy)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    /// Type of its schema.
    pub(crate) kind: &'static str,
    pub(crate) is_required: bool,
}

impl Parameter {
    /// A parameter that may be left out.
    pub(crate) const fn optional(name: &'static str, kind: &'static str) -> Self {
        Self {
            name,
            kind,
            is_required: false,
        }
    }

    /// A parameter that must be given.
    pub(crate) const fn required(name: &'static str, kind: &'static str) -> Self {
        Self {
            is_required: true,
            ..Self::optional(name, kind)
        }
    }
}

/// How a route is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Delete,
}

impl Method {
    /// Returns the method's name in a description for programs.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Delete => "delete",
        }
    }

    /// Returns the methods that a client may use.
    pub(crate) const fn allowed(self) -> &'static str {
        match self {
            Self::Get => "GET, HEAD",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

impl Route {
    /// Returns the parts of the path that a caller fills in.
    pub(crate) fn path_parameters(&self) -> impl Iterator<Item = &'static str> + use<> {
        let parts = self.path.split('/');
        parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Returns whether a path is the route's.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let (mut ours, mut theirs) = (self.path.split('/'), path.split('/'));
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(our), Some(their)) if our == their => {}
                (Some(our), Some(their)) if our.starts_with('{') && !their.is_empty() => {}
                _ => return false,
            }
        }
    }
}

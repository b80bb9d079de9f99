//! The router and the middleware of all requests.

use std::{pin::pin, sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};

use crate::server::{
    backend::SharedBackend,
    dashboard::{files::wants_page, history::Reason},
    http::{
        auth::{self, Admission},
        errors::ApiError,
        replies::{MAX_PATH_CHARS, shortened},
        request_id::{self, RequestId},
        route::Route,
        routes,
    },
};

/// Returns the server without a socket.
pub(crate) fn router(backend: SharedBackend) -> Router {
    let add = |router: Router<SharedBackend>, route: &Route| {
        router.route(route.path, (route.handler)(&routes::ROUTES))
    };
    routes::ROUTES
        .iter()
        .fold(Router::new(), add)
        .method_not_allowed_fallback(wrong_method)
        .fallback(routes::custom::custom_route)
        .layer(middleware::from_fn_with_state(Arc::clone(&backend), guard))
        .with_state(backend)
}

/// Answers a method that the path does not take: the allowed methods for OPTIONS, 405 for others. A
/// custom route comes first.
async fn wrong_method(State(backend): State<SharedBackend>, request: Request) -> Response {
    let (path, method) = (request.uri().path().to_owned(), request.method().clone());
    let methods = routes::methods(&path);
    match routes::custom_raw::custom_route_raw(&backend, request).await {
        Ok(Some(response)) => return response,
        Ok(None) => {}
        Err(error) => return error.into_response(),
    }
    let mut response = if method == Method::OPTIONS {
        StatusCode::OK.into_response()
    } else {
        let method = shortened(method.as_str(), MAX_PATH_CHARS);
        let detail = format!("{} does not take {method}", shortened(path, MAX_PATH_CHARS));
        ApiError::new(StatusCode::METHOD_NOT_ALLOWED, detail).into_response()
    };
    if let Ok(methods) = HeaderValue::from_str(&methods) {
        response.headers_mut().insert(header::ALLOW, methods);
    }
    response
}

/// Checks the credentials, if the backend has any, and records the answer in metrics and log.
async fn guard(State(backend): State<SharedBackend>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let _in_flight = backend.metrics.begin();
    let request_id = RequestId::of(request.headers());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .and_then(|path| routes::route(path.as_str()))
        .map_or("other", |route| route.path);
    let is_own = is_own_route(&backend, &request);
    let next = async |request| {
        if is_own {
            let answer = routes::custom::custom_route(State(Arc::clone(&backend)), request).await;
            return answer.into_response();
        }
        next.run(request).await
    };
    let answer = async {
        // Custom routes decide themselves which sites may use them.
        if route != "other" && !is_own && auth::is_forged(&request) {
            return auth::forged();
        }
        match &backend.auth {
            Some(auth) => match auth.admit(&request) {
                Admission::Admitted => next(request).await,
                Admission::Refused => auth::refusal(),
                Admission::Throttled(seconds) => auth::throttled(seconds),
            },
            None => next(request).await,
        }
    };
    let mut answer = pin!(request_id.scope(answer));
    let mut response = answer.as_mut().await;
    let request_id = answer.take_value();
    response.headers_mut().insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    let took = started.elapsed();
    backend
        .metrics
        .record(route, response.status().as_u16(), took);
    let history = &backend.dashboard.history;
    if route == "/predict" {
        history.note_call(response.status().is_success(), took);
    }
    if let Some(reason) = response.extensions_mut().remove::<Reason>()
        && is_worth_a_look(response.status())
    {
        history.note_failure(route, response.status().as_u16(), reason);
    }
    tracing::debug!(
        request_id = request_id.as_ref().map(display),
        route,
        status = response.status().as_u16(),
        ?took,
        "answered"
    );
    if let Some(id) = request_id {
        let id = id.into_header_value();
        response.headers_mut().insert(request_id::HEADER, id);
    }
    response
}

/// Returns whether a raw model has a route of its own where the server has one, too. At `/` programs
/// get the health check all the same.
fn is_own_route(backend: &SharedBackend, request: &Request) -> bool {
    let Some(raw) = &backend.served.raw else {
        return false;
    };
    let path = request.uri().path();
    let mut own = raw.own_routes().iter();
    own.any(|route| route.matches(request.method(), path))
        && (path != "/" || wants_page(request.headers()))
}

/// Returns whether a failure may interest the operator: wrong passwords and addresses come from
/// scanners.
fn is_worth_a_look(status: StatusCode) -> bool {
    !matches!(
        status,
        StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND | StatusCode::TOO_MANY_REQUESTS
    )
}

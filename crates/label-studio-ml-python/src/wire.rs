//! Bodies of calls to the Python side and its answers, for calls that do not come straight from HTTP.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use bytes::{Buf, Bytes};
use label_studio_ml::{
    Event, PredictRequest, Prediction, Predictions, Project, TaskPrediction, Value, json,
    raw::{
        ConnectionAddresses, OwnRoute, RawError,
        http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header, request},
    },
};
use serde::Deserialize;

/// Headers that concern one connection, not the request or answer on it.
const HOP_BY_HOP: [HeaderName; 6] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

#[derive(Deserialize)]
struct PredictReply {
    results: Vec<Value>,
}

#[derive(Deserialize)]
struct Failure {
    detail: Option<String>,
}

/// Reads the routes that an app answers instead of the server, such as `GET /live`.
pub(crate) fn own_routes(texts: &[String]) -> Vec<OwnRoute> {
    texts
        .iter()
        .filter_map(|text| OwnRoute::parse(text))
        .collect()
}

/// Writes the body of `/predict`.
pub(crate) fn predict_body(project: &Project, request: &PredictRequest) -> String {
    let mut params = request.params.clone();
    params.insert("context".to_owned(), json!(request.context));
    let body = json!({
        "tasks": request.tasks,
        "project": project.id().as_str(),
        "label_config": project.label_config().text(),
        "params": params,
    });
    body.to_string()
}

/// Reads an answer to `/predict`.
pub(crate) fn predictions(answer: &[u8]) -> anyhow::Result<Predictions> {
    let reply: PredictReply =
        serde_json::from_slice(answer).context("the model answered with no list of results")?;
    let read = |entry: Value| -> anyhow::Result<TaskPrediction> {
        Ok(if entry.is_array() {
            TaskPrediction::Several(serde_json::from_value(entry)?)
        } else {
            TaskPrediction::One(serde_json::from_value::<Prediction>(entry)?)
        })
    };
    let tasks = reply.results.into_iter().map(read);
    Ok(Predictions {
        tasks: tasks.collect::<anyhow::Result<_>>()?,
    })
}

/// Writes the body of `/webhook`.
pub(crate) fn event_body(event: &Event) -> String {
    let mut body = event.payload.clone();
    body["action"] = event.action.as_str().into();
    body.to_string()
}

/// Reads an answer to `/webhook`: the result of the model's `fit`.
///
/// # Errors
/// With status 201 when the model was trained, but its result is not JSON.
pub(crate) fn fit_result(answer: &[u8]) -> anyhow::Result<Value> {
    let mut answer: Value = serde_json::from_slice(answer)?;
    match answer.get("error").and_then(Value::as_str) {
        Some(error) => Err(RawError::new(201, error).into()),
        None => Ok(answer["result"].take()),
    }
}

/// Writes the head of a request to a custom route. Bytes become characters one by one, as WSGI requires.
pub(crate) fn custom_head(
    head: &request::Parts,
    addresses: ConnectionAddresses,
    longest: Option<Duration>,
) -> String {
    let text = |value: &HeaderValue| -> String {
        value.as_bytes().iter().copied().map(char::from).collect()
    };
    let headers = head.headers.iter();
    let headers = headers.map(|(name, value)| json!([name.as_str(), text(value)]));
    let pair = |address: Option<SocketAddr>| {
        address.map(|address| json!([address.ip().to_string(), address.port()]))
    };
    let head = json!({
        "method": head.method.as_str(),
        "target": head.uri.path_and_query().map_or("/", |target| target.as_str()),
        "version": format!("{:?}", head.version),
        "headers": headers.collect::<Vec<_>>(),
        "client": pair(addresses.client),
        "server": pair(addresses.server),
        "seconds": longest.map(|longest| longest.as_secs_f64()),
    });
    head.to_string()
}

/// Reads the answer to a request to a custom route: a status, which is 0 if there is no such route, and a frame of
/// the length of the headers, the headers, and the body.
pub(crate) fn custom_reply(
    method: &Method,
    status: u16,
    answer: Bytes,
) -> anyhow::Result<Option<Response<Bytes>>> {
    if status == 0 {
        return Ok(None);
    }
    let (headers, body) = custom_parts(answer).context("the app's answer cannot be read")?;
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status)
        .ok()
        .filter(|status| !status.is_informational())
        .with_context(|| {
            format!("the app answered with status {status}, which none can end with")
        })?;
    for (name, value) in headers {
        append(response.headers_mut(), &name, &value).with_context(|| {
            format!("the app answered with a header {name:?} that cannot be sent")
        })?;
    }
    if *method != Method::HEAD {
        // The server counts the bytes itself: the app may be wrong.
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    Ok(Some(response))
}

fn custom_parts(mut answer: Bytes) -> anyhow::Result<(Vec<(String, String)>, Bytes)> {
    let length = answer.try_get_u32()? as usize;
    let headers = answer.get(..length).context("the answer ends early")?;
    let headers = serde_json::from_slice(headers)?;
    answer.advance(length);
    Ok((headers, answer))
}

fn append(headers: &mut HeaderMap, name: &str, value: &str) -> anyhow::Result<()> {
    let name = HeaderName::from_bytes(name.as_bytes())?;
    let bytes: Result<Vec<u8>, _> = value.chars().map(u8::try_from).collect();
    let value = HeaderValue::from_bytes(&bytes?)?;
    if !HOP_BY_HOP.contains(&name) {
        headers.append(name, value);
    }
    Ok(())
}

/// Reads an error answer.
pub(crate) fn failure(status: u16, answer: &[u8], request_id: impl Into<String>) -> RawError {
    let failure = serde_json::from_slice::<Failure>(answer).ok();
    let detail = failure.and_then(|failure| failure.detail);
    let detail = detail.unwrap_or_else(|| String::from_utf8_lossy(answer).into_owned());
    RawError::new(status, detail).with_request_id(request_id)
}

/// Returns the request id of a call, for answers and logs.
pub(crate) fn request_id(call: u64) -> String {
    format!("{call:016x}")
}

//! `/predict` for a raw model.

use std::{borrow::Cow, fmt, sync::Arc};

use axum::{http::StatusCode, response::Response};
use bytes::Bytes;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{
    raw::model::{RawModel, RawRequest},
    server::{
        backend::SharedBackend,
        http::{
            body::{ObjectBody, RawBody, SMALL},
            errors::ApiError,
            replies::json_response,
            wire::{NO_PROJECT, WireProject},
        },
    },
};

/// The fields that the server checks.
#[derive(Deserialize)]
struct PredictBody<'a> {
    #[serde(default, rename = "tasks")]
    _tasks: Tasks,
    project: Option<WireProject>,
    #[serde(borrow)]
    label_config: Option<Cow<'a, str>>,
    #[serde(rename = "params")]
    _params: Option<Object>,
}

/// Checks a request and passes it to the model unchanged.
pub(crate) async fn predict_raw(
    backend: SharedBackend,
    raw: Arc<dyn RawModel>,
    request: RawBody,
) -> Result<Response, ApiError> {
    let RawBody { bytes, memory } = request;
    if bytes.len() <= SMALL {
        check(&backend, &bytes)?;
    } else {
        let (backend, bytes) = (Arc::clone(&backend), bytes.clone());
        let checking = tokio::task::spawn_blocking(move || check(&backend, &bytes));
        checking
            .await
            .map_err(|error| ApiError::model(&error.into()))??;
    }
    let permit = backend.permit().await?;
    let request = RawRequest::holding(bytes, (permit, memory));
    let json = raw.predict_raw(request).await?;
    Ok(json_response(StatusCode::OK, json))
}

fn check(backend: &SharedBackend, bytes: &Bytes) -> Result<(), ApiError> {
    let text = ObjectBody::new(bytes);
    let body: PredictBody<'_> = text.parse()?;
    if let Some(label_config) = body.label_config {
        let project = body
            .project
            .map_or_else(|| NO_PROJECT.to_owned(), WireProject::into_text);
        backend.projects.get_blocking(&project, &label_config)?;
    }
    Ok(())
}

/// Checks a list of objects with `data`, and keeps nothing.
#[derive(Default)]
struct Tasks;

impl<'de> Deserialize<'de> for Tasks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Self)
    }
}

impl<'de> Visitor<'de> for Tasks {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of tasks")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self, A::Error> {
        let mut n_tasks = 0_usize;
        loop {
            let next = seq.next_element::<TaskObject>();
            match next.map_err(|error| Error::custom(format_args!("tasks[{n_tasks}]: {error}")))? {
                Some(TaskObject) => n_tasks += 1,
                None => return Ok(self),
            }
        }
    }
}

struct TaskObject;

impl<'de> Deserialize<'de> for TaskObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self)
    }
}

impl<'de> Visitor<'de> for TaskObject {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a task: an object with \"data\"")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut has_data = false;
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            if name == "data" {
                let Object = map.next_value()?;
                has_data = true;
            } else {
                let IgnoredAny = map.next_value()?;
            }
        }
        if has_data {
            Ok(self)
        } else {
            Err(Error::missing_field("data"))
        }
    }
}

/// Checks an object, and keeps nothing.
struct Object;

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self)
    }
}

impl<'de> Visitor<'de> for Object {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self)
    }
}

//! `/predict` for a raw model.

use std::{
    borrow::Cow,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use axum::response::Response;
use bytes::Bytes;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{
    project_id::ProjectId,
    raw::model::{RawModel, RawRequest},
    server::{
        backend::SharedBackend,
        calls::permits::Priority,
        http::{
            body::{RawBody, SMALL},
            errors::ApiError,
            object_body::ObjectBody,
            wire::{NO_PROJECT, WireProject},
        },
        logging::predictions::{Predicted, Regions},
    },
};

/// The fields that the server checks.
#[derive(Deserialize)]
struct PredictBody<'a> {
    #[serde(default)]
    tasks: Tasks,
    project: Option<WireProject>,
    #[serde(borrow)]
    label_config: Option<Cow<'a, str>>,
    params: Option<Params>,
}

/// What was read of a request.
struct Checked {
    project: ProjectId,
    n_tasks: usize,
    priority: Priority,
}

/// Checks a request and passes it to the model unchanged.
pub(crate) async fn predict_raw(
    backend: SharedBackend,
    raw: Arc<dyn RawModel>,
    request: RawBody,
) -> Result<Response, ApiError> {
    let started = Instant::now();
    let RawBody { bytes, memory } = request;
    let checked = if bytes.len() <= SMALL {
        check(&backend, &bytes)?
    } else {
        let (backend, bytes) = (Arc::clone(&backend), bytes.clone());
        let checking = tokio::task::spawn_blocking(move || check(&backend, &bytes));
        checking
            .await
            .map_err(|error| ApiError::model(&error.into()))??
    };
    backend.metrics.record_tasks(checked.n_tasks);
    let has_begun = AtomicBool::new(false);
    let answer = async {
        let permit = backend.permit(checked.priority).await?;
        has_begun.store(true, Ordering::Relaxed);
        let request = RawRequest::holding(bytes, (permit, memory));
        let called = Instant::now();
        let answer = raw.predict_raw(request).await;
        backend
            .metrics
            .record_call(answer.is_ok(), called.elapsed());
        Ok(answer?)
    };
    let json = backend.within_timeout(&has_begun, answer).await?;
    backend.prediction_log.record(&Predicted {
        project: &checked.project,
        n_tasks: checked.n_tasks,
        regions: Regions::In(&json),
        took: started.elapsed(),
    });
    backend.bodies.answer(json, ()).await
}

fn check(backend: &SharedBackend, bytes: &Bytes) -> Result<Checked, ApiError> {
    let text = ObjectBody::new(bytes);
    let body: PredictBody<'_> = text.parse()?;
    let project = body
        .project
        .map_or_else(|| NO_PROJECT.to_owned(), WireProject::into_text);
    if let Some(label_config) = body.label_config {
        backend
            .projects
            .get_blocking(&project, Some(&label_config))?;
    }
    let is_interactive = body.params.is_some_and(|params| params.has_context);
    Ok(Checked {
        project: ProjectId::parse(&project),
        n_tasks: body.tasks.n_tasks,
        priority: Priority::of(is_interactive),
    })
}

/// Checks a list of objects with `data`, and counts them.
#[derive(Default)]
struct Tasks {
    n_tasks: usize,
}

impl<'de> Deserialize<'de> for Tasks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Self::default())
    }
}

impl<'de> Visitor<'de> for Tasks {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of tasks")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Self, A::Error> {
        loop {
            let next = seq.next_element::<TaskObject>();
            match next
                .map_err(|error| Error::custom(format_args!("tasks[{}]: {error}", self.n_tasks)))?
            {
                Some(TaskObject) => self.n_tasks += 1,
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

/// Checks the params, and keeps whether they have an interactive context.
#[derive(Default)]
struct Params {
    has_context: bool,
}

impl<'de> Deserialize<'de> for Params {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self::default())
    }
}

impl<'de> Visitor<'de> for Params {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let value: Option<IgnoredAny> = map.next_value()?;
            if name == "context" {
                self.has_context = value.is_some();
            }
        }
        Ok(self)
    }
}

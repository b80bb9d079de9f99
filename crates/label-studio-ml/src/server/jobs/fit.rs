//! The work of a job: the model's `fit`.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use label_studio_sdk::ClientError;
use serde_json::{Map, Value};

use crate::{
    jobs::{Claim, JobContext, TryAgain},
    model::{Action, Event},
    project::ProjectError,
    raw::model::{RawError, Readiness},
    server::{
        calls::{executor::catch_panic, projects::Projects, served_model::ServedModel},
        http::{errors::ApiError, wire::event_project},
        jobs::work::{Remedy, Work, WorkError},
    },
};

/// Statuses of Label Studio, or of a proxy before it, that say “later”.
const LATER: [u16; 4] = [429, 502, 503, 504];

/// Calls the model's `fit` for a training event.
pub(crate) struct Fit {
    pub(crate) served: ServedModel,
    pub(crate) projects: Arc<Projects>,
}

impl Fit {
    fn fit(&self, claim: &Claim, context: &JobContext) -> anyhow::Result<Value> {
        let action = Action::parse(&claim.job.kind)
            .with_context(|| format!("{} is no event to learn from", claim.job.kind))?;
        let payload: Map<String, Value> =
            serde_json::from_str(&claim.payload).context("the stored event is not JSON")?;
        let (id, label_config) = event_project(&payload).context("the event has no project.id")?;
        let project = self.projects.get_blocking(&id, label_config)?;
        let Some(Ok(model)) = self.served.slot.peek() else {
            anyhow::bail!("the model is not loaded");
        };
        project.set_up(&**model)?;
        let event = Event {
            action,
            payload: Value::Object(payload),
        };
        model.fit(&project.project.with_job(context.clone()), &event)
    }
}

impl Work for Fit {
    fn is_ready(&self) -> bool {
        self.served.readiness() == Readiness::Ready
    }

    fn run(&self, claim: &Claim, context: &JobContext) -> Result<Value, WorkError> {
        catch_panic(|| self.fit(claim, context)).map_err(|error| WorkError {
            remedy: remedy(&error),
            error: ApiError::model(&error),
        })
    }
}

fn remedy(error: &anyhow::Error) -> Remedy {
    match error.downcast_ref() {
        Some(RawError {
            status: 503,
            retry_after: Some(seconds),
            ..
        }) => return Remedy::Wait(Duration::from_secs((*seconds).into())),
        Some(RawError {
            is_cut_short: true, ..
        }) => return Remedy::StartAgain,
        Some(_) | None => {}
    }
    let client = match error.downcast_ref() {
        Some(ProjectError::Client(error)) => Some(error),
        _ => error.downcast_ref(),
    };
    if error.is::<TryAgain>() || client.is_some_and(is_temporary) {
        return Remedy::TryAgain;
    }
    Remedy::None
}

fn is_temporary(error: &ClientError) -> bool {
    match error {
        ClientError::Connection { .. } => true,
        ClientError::Status { status, .. } => LATER.contains(status),
        ClientError::Exchange(source) => is_temporary(source),
        _ => false,
    }
}

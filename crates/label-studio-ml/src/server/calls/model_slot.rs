//! The slot of the model, empty while it loads.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::http::StatusCode;
use tokio::sync::watch;

use crate::{model::Model, server::http::errors::ApiError};

/// How long a call waits for the model to load. Label Studio gives a prediction 100 s.
const LOADING_TIMEOUT: Duration = Duration::from_secs(90);
const RETRY_AFTER: u32 = 5;

type Loaded = Result<Arc<dyn Model>, String>;

/// The slot of the model, empty while it loads.
pub(crate) struct ModelSlot {
    loaded: OnceLock<Loaded>,
    done: watch::Sender<bool>,
}

impl ModelSlot {
    pub(crate) fn new() -> Self {
        Self {
            loaded: OnceLock::new(),
            done: watch::Sender::new(false),
        }
    }

    /// Creates a slot that holds a model.
    pub(crate) fn filled(model: Arc<dyn Model>) -> Self {
        Self {
            loaded: OnceLock::from(Ok(model)),
            done: watch::Sender::new(true),
        }
    }

    /// Runs the loader and keeps its result; a panic counts as a failure.
    pub(crate) fn load<M: Model>(&self, load: impl FnOnce() -> anyhow::Result<M>) -> &Loaded {
        let outcome = match catch_unwind(AssertUnwindSafe(load)) {
            Ok(Ok(model)) => Ok(Arc::new(model) as Arc<dyn Model>),
            Ok(Err(error)) => Err(format!("{error:#}")),
            Err(panic) => Err(panic_text(&*panic)),
        };
        let outcome = self.loaded.get_or_init(|| outcome);
        self.done.send_replace(true);
        outcome
    }

    /// Returns the model, or why loading failed; `None` while it still loads.
    pub(crate) fn peek(&self) -> Option<&Loaded> {
        self.loaded.get()
    }

    /// Waits for the model.
    pub(crate) async fn model(&self) -> Result<Arc<dyn Model>, ApiError> {
        if self.loaded.get().is_none() {
            let mut done = self.done.subscribe();
            let waited = tokio::time::timeout(LOADING_TIMEOUT, done.wait_for(|done| *done)).await;
            if waited.is_err() {
                return Err(ApiError::busy(
                    "the model is still loading; try again soon",
                    RETRY_AFTER,
                ));
            }
        }
        match self.loaded.get() {
            Some(Ok(model)) => Ok(Arc::clone(model)),
            Some(Err(reason)) => Err(ApiError::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("the model could not be loaded: {reason}"),
            )),
            None => Err(ApiError::busy(
                "the model is still loading; try again soon",
                RETRY_AFTER,
            )),
        }
    }
}

/// Returns the message of a panic.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the model panicked: {}", text.unwrap_or("no message"))
}

//! Whether the store and the queue of trainings can be used, before the server listens.

use std::sync::Arc;

use anyhow::Context;

use crate::{
    jobs::{JobsError, MemoryJobs},
    resources::Resources,
    store::{MemoryStore, StoreError},
};

/// A way in which the server does less than it should.
pub(crate) type Degraded = Option<String>;

/// Checks store and queue. One that is damaged or named wrongly is an error. A file that cannot be written
/// is replaced by a store in memory: models that store nothing answer all the same. A database
/// server that cannot be reached is waited for, since other replicas may use it.
pub(crate) fn check(mut resources: Resources) -> anyhow::Result<(Resources, Degraded)> {
    let error = match resources.store.probe() {
        Ok(()) => return check_jobs(resources),
        Err(error @ StoreError::NotADatabase { .. }) => {
            return Err(error).context("the store cannot be used");
        }
        #[cfg(feature = "postgres")]
        Err(StoreError::Postgres(error)) => {
            let is_a_wrong_setting = error.is_a_wrong_setting();
            let error = anyhow::Error::from(error);
            if is_a_wrong_setting {
                return Err(error.context("the store cannot be used"));
            }
            tracing::warn!("requests fail until the store can be used: {error:#}");
            return Ok((resources, None));
        }
        Err(error) => anyhow::Error::from(error),
    };
    resources.store = Box::new(MemoryStore::default());
    resources.jobs = Arc::new(MemoryJobs::default());
    let reason = format!(
        "values of projects and trainings are kept in memory and lost at the end of the server: {error:#}"
    );
    tracing::warn!("{reason}");
    Ok((resources, Some(reason)))
}

fn check_jobs(mut resources: Resources) -> anyhow::Result<(Resources, Degraded)> {
    let error = match resources.jobs.probe() {
        Ok(()) => return Ok((resources, None)),
        Err(error @ JobsError::NotADatabase { .. }) => {
            return Err(error).context("trainings cannot be stored");
        }
        #[cfg(feature = "postgres")]
        Err(JobsError::Postgres(_)) => return Ok((resources, None)),
        Err(error) => anyhow::Error::from(error),
    };
    resources.jobs = Arc::new(MemoryJobs::default());
    let reason =
        format!("trainings are kept in memory and lost at the end of the server: {error:#}");
    tracing::warn!("{reason}");
    Ok((resources, Some(reason)))
}

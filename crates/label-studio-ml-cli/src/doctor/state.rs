//! Results of earlier checks that later ones use.

use label_studio_sdk::{
    Client, ClientError, LabelConfig, Task,
    client::{MlBackend, ProjectInfo},
};
use serde_json::{Map, Value};

use super::{args::CheckedArgs, release::Release};
use crate::backend::Backend;

/// What is done about faults.
#[derive(Debug)]
pub(super) enum Treatment {
    /// They are named.
    Name,
    /// Those of the project's settings are corrected.
    Fix,
    /// Like [`Treatment::Fix`]; a backend that the project does not know is connected.
    Connect {
        /// Name of the backend in Label Studio.
        title: Option<String>,
    },
}

/// The state that the checks share; each reads what those before it have found.
pub(super) struct Doctor {
    pub(super) args: CheckedArgs,
    pub(super) treatment: Treatment,
    pub(super) backend: Backend,
    /// Whether Label Studio answers at all.
    pub(super) is_reachable: bool,
    /// Version of Label Studio, if it has a number.
    pub(super) release: Option<Release>,
    /// Present once the token is known to be accepted.
    pub(super) client: Option<Client>,
    pub(super) project: Option<ProjectInfo>,
    pub(super) label_config: Option<LabelConfig>,
    pub(super) task: Option<Task>,
    /// Whether the backend answers at all.
    pub(super) is_up: bool,
    /// Class of the backend's model.
    pub(super) model_class: Option<String>,
    /// The backend as the project knows it.
    pub(super) connected: Option<MlBackend>,
    /// Whether the backend has answered an interactive call with regions.
    pub(super) answers_clicks: bool,
}

impl Doctor {
    pub(super) fn new(args: CheckedArgs, treatment: Treatment) -> anyhow::Result<Self> {
        Ok(Self {
            backend: args.backend()?,
            args,
            treatment,
            is_reachable: false,
            release: None,
            client: None,
            project: None,
            label_config: None,
            task: None,
            is_up: false,
            model_class: None,
            connected: None,
            answers_clicks: false,
        })
    }

    /// Asks Label Studio again how the project knows the backend; `None` when it does not.
    pub(super) fn reload_connected(&self) -> Result<Option<MlBackend>, ClientError> {
        let (Some(client), Some(project), Some(connected)) =
            (&self.client, &self.project, &self.connected)
        else {
            return Ok(None);
        };
        let backends = client.ml_backends(project.id)?;
        Ok(backends
            .into_iter()
            .find(|backend| backend.id == connected.id))
    }

    /// Adds the backend's credentials to changes of it: Label Studio checks the backend with what it is sent.
    pub(super) fn with_credentials<const N: usize>(
        &self,
        changes: [(&str, Value); N],
    ) -> Map<String, Value> {
        let credentials = self.args.basic_auth.credentials();
        let credentials = credentials.map(|(user, pass)| {
            [
                ("auth_method", "BASIC_AUTH"),
                ("basic_auth_user", user),
                ("basic_auth_pass", pass),
            ]
        });
        let credentials = credentials.into_iter().flatten();
        let credentials = credentials.map(|(name, text)| (name, Value::from(text)));
        changes
            .into_iter()
            .chain(credentials)
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// Returns whether Label Studio is older than `release`; an unknown version counts as new.
    pub(super) fn is_before(&self, release: Release) -> bool {
        self.release.is_some_and(|own| own < release)
    }
}

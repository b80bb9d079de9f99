//! Results of earlier checks that later ones use.

use label_studio_sdk::{
    Client, LabelConfig, Task,
    client::{MlBackend, ProjectInfo},
};

use super::{args::DoctorArgs, backend::Backend};

/// The state that the checks share; each reads what those before it have found.
pub(super) struct Doctor {
    pub(super) args: DoctorArgs,
    pub(super) backend: Backend,
    /// Whether Label Studio answers at all.
    pub(super) is_reachable: bool,
    /// Present once the token is known to be accepted.
    pub(super) client: Option<Client>,
    pub(super) project: Option<ProjectInfo>,
    pub(super) label_config: Option<LabelConfig>,
    pub(super) task: Option<Task>,
    /// Whether the backend answers at all.
    pub(super) is_up: bool,
    /// The backend as the project knows it.
    pub(super) connected: Option<MlBackend>,
}

impl Doctor {
    pub(super) fn new(args: DoctorArgs) -> anyhow::Result<Self> {
        Ok(Self {
            backend: Backend::new(&args)?,
            args,
            is_reachable: false,
            client: None,
            project: None,
            label_config: None,
            task: None,
            is_up: false,
            connected: None,
        })
    }
}

//! Checks whether Label Studio answers and accepts the token, and reads the project.

use std::time::Duration;

use label_studio_sdk::{Client, ClientOptions, LabelConfig, client::TokenKind};
use serde_json::Value;

use crate::doctor::{
    release::Release,
    report::{Finding, chain},
    state::Doctor,
};

const MAX_LISTED: usize = 10;
/// Tasks of a project that are all read to get the first, which takes seconds.
const MAX_TASKS: u64 = 2000;

impl Doctor {
    pub(super) fn check_label_studio(&mut self) -> Finding {
        let version = match Client::new(self.client_options()).and_then(|client| client.version()) {
            Ok(version) => version.release,
            Err(error) if error.status() == Some(404) => {
                return Finding::Failure(format!(
                    "{} is no Label Studio: it has no /api/version; LABEL_STUDIO_URL names another server, or lacks a \
                     path such as /label-studio",
                    self.args.url()
                ));
            }
            Err(error) => return Finding::Failure(chain(error)),
        };
        self.is_reachable = true;
        self.release = Release::parse(&version);
        let fact = format!("{} runs Label Studio {version}", self.args.url());
        if self.is_before(Release::OLDEST_TESTED) {
            let oldest = Release::OLDEST_TESTED;
            return Finding::Warning(format!("{fact}; versions before {oldest} are not tested"));
        }
        Finding::Fine(fact)
    }

    pub(super) fn check_token(&mut self) -> Finding {
        if !self.is_reachable {
            return Finding::Skipped("needs a Label Studio that answers");
        }
        let Some(token) = self.args.label_studio.api_key() else {
            return Finding::Failure(
                "none given; set LABEL_STUDIO_API_KEY to a token from Label Studio's account page"
                    .to_owned(),
            );
        };
        let client = match Client::new(self.client_options().with_token(token)) {
            Ok(client) => client,
            Err(error) => return Finding::Failure(chain(error)),
        };
        let kind = client.token_kind();
        let has_personal = !self.is_before(Release::HAS_PERSONAL_TOKENS);
        let user = match (client.whoami(), kind) {
            (Ok(user), _) => user.email,
            (Err(error), Some(TokenKind::PersonalAccess)) if !has_personal => {
                return Finding::Failure(format!(
                    "{}; personal access tokens exist from Label Studio {} on, so use the access token of the account \
                     page",
                    chain(error),
                    Release::HAS_PERSONAL_TOKENS
                ));
            }
            (Err(error), Some(TokenKind::Legacy))
                if error.status() == Some(401) && has_personal =>
            {
                return Finding::Failure(format!(
                    "{}; new organisations accept personal access tokens only, which the account page creates",
                    chain(error)
                ));
            }
            (Err(error), _) => return Finding::Failure(chain(error)),
        };
        self.client = Some(client);
        match kind {
            Some(TokenKind::Access) => Finding::Warning(format!(
                "access token of {user}, which ends within minutes; \
                 set LABEL_STUDIO_API_KEY to the personal access token it was made from"
            )),
            Some(TokenKind::PersonalAccess) => {
                Finding::Fine(format!("personal access token of {user}"))
            }
            _ => Finding::Fine(format!("legacy token of {user}")),
        }
    }

    pub(super) fn check_project(&mut self) -> Finding {
        let Some(client) = &self.client else {
            return Finding::Skipped("needs an accepted token");
        };
        let projects = match self.args.project {
            Some(id) => client.project(id).map(|project| vec![project]),
            None => client.projects(),
        };
        let mut projects = match projects {
            Ok(projects) => projects,
            Err(error) if error.status() == Some(404) => {
                return Finding::Failure(format!(
                    "there is no project {}, or the token's owner may not see it; the number is in the address of its \
                     page, /projects/NUMBER",
                    self.args.project.unwrap_or_default()
                ));
            }
            Err(error) => return Finding::Failure(chain(error)),
        };
        if projects.len() > 1 {
            let shown = projects
                .iter()
                .take(MAX_LISTED)
                .map(|project| format!("{} {:?}", project.id, project.title));
            let shown: Vec<_> = shown.collect();
            let rest = if projects.len() > MAX_LISTED {
                ", ..."
            } else {
                ""
            };
            return Finding::Warning(format!(
                "choose one with --project: {}{rest}",
                shown.join(", ")
            ));
        }
        self.project = projects.pop();
        match &self.project {
            Some(project) => Finding::Fine(format!("{} {:?}", project.id, project.title)),
            None => Finding::Failure(
                "Label Studio has none that the token's owner may see; create one".to_owned(),
            ),
        }
    }

    pub(super) fn check_label_config(&mut self) -> Finding {
        let Some(project) = &self.project else {
            return Finding::Skipped("needs a project");
        };
        let label_config = match LabelConfig::parse(&project.label_config) {
            Ok(label_config) => label_config,
            Err(error) => return Finding::Failure(chain(error)),
        };
        let pairs: Vec<_> = label_config
            .controls()
            .iter()
            .map(|control| {
                format!(
                    "<{}> {:?} on {:?}",
                    control.tag,
                    control.name,
                    control.to_name.join(", ")
                )
            })
            .collect();
        let problems = label_config.problems();
        self.label_config = Some(label_config);
        if pairs.is_empty() {
            return Finding::Failure(
                "it has no control tags; set one up in the project's settings, under Labeling Interface".to_owned(),
            );
        }
        if !problems.is_empty() {
            return Finding::Failure(problems.join("; "));
        }
        Finding::Fine(pairs.join(", "))
    }

    pub(super) fn check_task(&mut self) -> Finding {
        let (Some(client), Some(project)) = (&self.client, &self.project) else {
            return Finding::Skipped("needs a project");
        };
        let n_tasks = project
            .extra
            .get("task_number")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        if self.args.task.is_none() && n_tasks > MAX_TASKS {
            return Finding::Warning(format!(
                "the project has {n_tasks}, too many to read them all; choose one with --task"
            ));
        }
        let task = match self.args.task {
            Some(id) => client.task(id).map(Some),
            None => client
                .tasks(project.id)
                .map(|tasks| tasks.into_iter().next()),
        };
        match task {
            Ok(Some(task)) => {
                let id = task.id.unwrap_or_default();
                // How often a Repeater repeats its tags depends on the task.
                match self
                    .label_config
                    .as_ref()
                    .map(|config| config.for_task(&task.data))
                {
                    Some(Ok(label_config)) => self.label_config = Some(label_config),
                    Some(Err(error)) => return Finding::Failure(chain(error)),
                    None => {}
                }
                self.task = Some(task);
                Finding::Fine(format!("{id} is the task to try"))
            }
            Ok(None) => {
                Finding::Warning("the project has none; import one, and try again".to_owned())
            }
            Err(error) => Finding::Failure(chain(error)),
        }
    }

    fn client_options(&self) -> ClientOptions {
        ClientOptions {
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(30),
            overall_timeout: Duration::from_secs(60),
            retries: 0,
            ..self.args.client_options()
        }
    }
}

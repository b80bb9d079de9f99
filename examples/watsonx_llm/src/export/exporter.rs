//! Takes Label Studio's webhooks and keeps the table like the annotations.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use label_studio_ml::{
    Action, CustomReply, CustomRequest, Project, Value,
    anyhow::{self, Context, anyhow},
    json,
    sdk::Client,
};
use label_studio_services::{Deadline, Secret, ServiceArgs, ServiceClient};
use subtle::ConstantTimeEq;

use super::{
    Presto, PrestoAccess, Row, Table,
    records::{Record, TaskRecord, task_of},
    writer::Writer,
};
use crate::{ExportArgs, Options};

/// Tasks are written at the same time unless they share one of these.
const N_LOCKS: usize = 16;

/// Copies annotations into a table, told by webhooks to `/data/upload`.
#[derive(Debug)]
pub struct Exporter {
    writer: Result<Writer, String>,
    token: Option<Secret>,
    service: ServiceArgs,
    emails: Mutex<HashMap<i64, String>>,
    locks: [Mutex<()>; N_LOCKS],
}

impl Exporter {
    /// Creates the exporter. Without the flags for the table it answers with what is missing.
    pub fn new(options: &Options, client: ServiceClient) -> Self {
        let args = &options.export;
        let key = options
            .watsonx
            .watsonx_api_key
            .clone()
            .unwrap_or_else(|| "".into());
        Self {
            writer: writer(args, &key, client).map_err(|error| format!("{error:#}")),
            token: args
                .watsonx_export_token
                .clone()
                .filter(|token| !token.is_empty()),
            service: options.service.clone(),
            emails: Mutex::default(),
            locks: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// Logs whether annotations are copied, and whether a token is needed for that.
    pub fn announce(&self) {
        match &self.writer {
            Ok(_) if self.token.is_none() => tracing::warn!(
                "/data/upload accepts webhooks of every client that has the backend's own credentials, if it needs any; \
                 set WATSONX_EXPORT_TOKEN and send it as the webhook's header X-Export-Token"
            ),
            Ok(_) => tracing::info!("annotations sent to /data/upload are copied to watsonx.data"),
            Err(reason) => tracing::info!("annotations are not copied to watsonx.data: {reason}"),
        }
    }

    /// Answers a request below `/data`.
    pub fn answer(&self, request: &CustomRequest) -> anyhow::Result<CustomReply> {
        let is_upload = request.path == "/data/upload";
        match (request.method.as_str(), is_upload) {
            ("GET" | "HEAD", false) => Ok(CustomReply::new(200, json!({ "status": "UP" }))),
            ("POST", true) if self.admits(request) => self.upload(request),
            ("POST", true) => Ok(refusal(401, "the export token is missing or wrong")),
            _ => Ok(refusal(405, "POST to /data/upload, GET /data/health")),
        }
    }

    fn admits(&self, request: &CustomRequest) -> bool {
        let Some(token) = &self.token else {
            return true;
        };
        let bearer = request
            .header("authorization")
            .and_then(|header| header.strip_prefix("Bearer "));
        [request.header("x-export-token"), bearer]
            .into_iter()
            .flatten()
            .any(|given| {
                given
                    .trim()
                    .as_bytes()
                    .ct_eq(token.expose().as_bytes())
                    .into()
            })
    }

    fn upload(&self, request: &CustomRequest) -> anyhow::Result<CustomReply> {
        let payload = &request.body;
        let action = payload["action"].as_str().and_then(Action::parse);
        let project = match &payload["project"]["id"] {
            Value::Number(id) => request.project(&id.to_string()),
            Value::String(id) => request.project(id),
            _ => request.project("None"),
        };
        match action {
            Some(action @ (Action::AnnotationCreated | Action::AnnotationUpdated)) => {
                self.write(&project, payload, action)
            }
            Some(Action::AnnotationDeleted) => self.delete(&project, payload),
            Some(Action::StartTraining) | None => {
                Ok(CustomReply::new(200, json!({ "status": "Unknown event" })))
            }
        }
    }

    fn write(
        &self,
        project: &Project,
        payload: &Value,
        action: Action,
    ) -> anyhow::Result<CustomReply> {
        let (task, annotation) = (&payload["task"], &payload["annotation"]);
        let Some(id) = task["id"].as_i64() else {
            return Ok(refusal(400, "the event has no task.id"));
        };
        let (Some(data), Some(regions)) =
            (task["data"].as_object(), annotation["result"].as_array())
        else {
            return Ok(refusal(
                400,
                "the event has no task.data or no annotation.result",
            ));
        };
        let (writer, deadline) = (self.writer()?, self.service.deadline());
        let _alone = self.lock(id);
        let mut exported = TaskRecord::read(project, id)?;
        let annotation_id = annotation["id"].as_i64();
        let updated_at = annotation["updated_at"].as_str().unwrap_or_default();
        let known = annotation_id.and_then(|id| exported.get(id)).cloned();
        let is_older = |known: &Record| known.updated_at.as_str() > updated_at;
        if !updated_at.is_empty() && known.as_ref().is_some_and(is_older) {
            return Ok(CustomReply::new(
                200,
                json!({ "status": "outdated", "task": id }),
            ));
        }
        let client = project.client()?;
        let completed_by = self.email(client, &annotation["completed_by"])?;
        let updated_by = self.email(client, &annotation["updated_by"])?;
        let row = Row::of_annotation(id, [completed_by.clone(), updated_by], data, regions);
        let columns = writer.prepare(&row, deadline)?;
        if action == Action::AnnotationUpdated || known.is_some() {
            let earlier = known.map_or(completed_by.clone(), |known| known.completed_by);
            let of_whom = exported
                .has_others(annotation_id)
                .then_some(earlier.as_str());
            writer.replace(&row, &columns, of_whom, deadline)?;
        } else {
            writer.insert(&row, &columns, deadline)?;
        }
        if let Some(annotation) = annotation_id {
            let updated_at = updated_at.to_owned();
            exported.insert(
                project,
                id,
                annotation,
                Record {
                    completed_by,
                    updated_at,
                },
            )?;
        }
        Ok(CustomReply::new(200, json!({ "status": "ok", "task": id })))
    }

    fn delete(&self, project: &Project, payload: &Value) -> anyhow::Result<CustomReply> {
        let (writer, deadline) = (self.writer()?, self.service.deadline());
        let listed = payload["annotations"].as_array().into_iter().flatten();
        let annotations = listed.chain(payload.get("annotation"));
        let ids: Vec<_> = annotations
            .filter_map(|annotation| annotation["id"].as_i64())
            .collect();
        let mut n_deleted = 0;
        for annotation in &ids {
            n_deleted += usize::from(self.delete_one(project, *annotation, writer, deadline)?);
        }
        // Events of the singular name carry the task.
        if n_deleted == 0
            && let Some(task) = payload["task"]["id"].as_i64()
        {
            let _alone = self.lock(task);
            writer.delete(task, None, deadline)?;
            n_deleted = 1;
        }
        Ok(CustomReply::new(
            200,
            json!({ "status": "ok", "deleted": n_deleted }),
        ))
    }

    fn delete_one(
        &self,
        project: &Project,
        annotation: i64,
        writer: &Writer,
        deadline: Deadline,
    ) -> anyhow::Result<bool> {
        let Some(task) = task_of(project, annotation)? else {
            tracing::info!(annotation, "was not exported, so there is no row to delete");
            return Ok(false);
        };
        let _alone = self.lock(task);
        let mut exported = TaskRecord::read(project, task)?;
        let email = exported
            .get(annotation)
            .map(|record| record.completed_by.clone());
        let of_whom = email.filter(|_| exported.has_others(Some(annotation)));
        writer.delete(task, of_whom.as_deref(), deadline)?;
        exported.remove(project, task, annotation)?;
        Ok(true)
    }

    /// Returns the address of a user, empty for one who is unknown. Users are asked for when one is new.
    fn email(&self, client: &Client, user: &Value) -> anyhow::Result<String> {
        if let Some(email) = user["email"].as_str() {
            return Ok(email.to_owned());
        }
        let Some(id) = user.as_i64().or_else(|| user["id"].as_i64()) else {
            return Ok(String::new());
        };
        let known = |emails: &Mutex<HashMap<i64, String>>| {
            let emails = emails.lock().unwrap_or_else(PoisonError::into_inner);
            emails.get(&id).cloned()
        };
        if let Some(email) = known(&self.emails) {
            return Ok(email);
        }
        let users = client
            .users()
            .context("Label Studio does not say who annotated")?;
        let mut emails = self.emails.lock().unwrap_or_else(PoisonError::into_inner);
        emails.extend(users.into_iter().map(|user| (user.id, user.email)));
        Ok(emails.get(&id).cloned().unwrap_or_default())
    }

    fn writer(&self) -> anyhow::Result<&Writer> {
        self.writer
            .as_ref()
            .map_err(|reason| anyhow!("annotations cannot be copied: {reason}"))
    }

    fn lock(&self, task: i64) -> MutexGuard<'_, ()> {
        let idx = usize::try_from(task.unsigned_abs()).unwrap_or(0) % N_LOCKS;
        self.locks[idx]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn refusal(status: u16, detail: &str) -> CustomReply {
    CustomReply::new(status, json!({ "status": status, "detail": detail }))
}

fn writer(args: &ExportArgs, key: &Secret, client: ServiceClient) -> anyhow::Result<Writer> {
    let named = [
        ("WATSONX_ENG_USERNAME", &args.watsonx_eng_username),
        ("WATSONX_ENG_HOST", &args.watsonx_eng_host),
        ("WATSONX_ENG_PORT", &args.watsonx_eng_port),
        ("WATSONX_CATALOG", &args.watsonx_catalog),
        ("WATSONX_SCHEMA", &args.watsonx_schema),
        ("WATSONX_TABLE", &args.watsonx_table),
    ];
    let texts = named.map(|(_, text)| text.as_deref().map(str::trim).unwrap_or_default());
    let mut missing: Vec<_> = named
        .iter()
        .zip(texts)
        .filter(|(_, text)| text.is_empty())
        .map(|((name, _), _)| *name)
        .collect();
    if key.is_empty() {
        missing.push("WATSONX_API_KEY");
    }
    anyhow::ensure!(missing.is_empty(), "{} must be set", missing.join(", "));
    let [user, host, port, catalog, schema, table] = texts;
    let protocol = if host.contains("://") { "" } else { "https://" };
    let access = PrestoAccess {
        url: &format!("{protocol}{}:{port}", host.trim_end_matches('/')),
        user,
        password: key,
        catalog,
        schema,
    };
    let presto = Presto::new(client, &access);
    Ok(Writer::new(
        presto.context("WATSONX_ENG_HOST and WATSONX_ENG_PORT")?,
        Table::new(table).context("WATSONX_TABLE")?,
    ))
}

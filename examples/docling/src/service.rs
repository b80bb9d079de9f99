//! Client of a Docling service (`docling-serve`, version 1 of its API).

use std::{fs, thread, time::Duration};

use label_studio_ml::{
    Map, Value,
    anyhow::{self, Context, bail, ensure},
    json, serde_json,
};
use label_studio_services::{
    CacheKey, Deadline, Secret, ServiceClient, ServiceError, ServiceRequest,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::{
    ServiceAddress, Source, bundle,
    multipart::{FormFile, form},
    source::name_and_kind,
};

/// Newest version of documents that is understood.
const DOCUMENT_VERSION: &str = "1.10.0";
const FORMATS: [&str; 2] = ["md", "json"];
/// Seconds that the service holds a question about a job back while nothing changes.
const POLL_SECONDS: &str = "5";
/// Pauses for services that do not hold it back.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A Docling service.
#[derive(Debug)]
pub struct Service {
    client: ServiceClient,
    base: String,
    key: Option<Secret>,
    headers: Vec<(String, String)>,
    options: Map<String, Value>,
}

/// A conversion that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job(pub String);

/// Result of a conversion.
#[derive(Debug)]
pub enum Converted {
    /// A document, as JSON.
    Document(String),
    /// Addresses that the document can be fetched from.
    Artifacts(Vec<Artifact>),
}

/// A form of the document, to be fetched without the key.
#[derive(Debug, Clone, Deserialize)]
pub struct Artifact {
    #[serde(default)]
    artifact_type: String,
    /// Where it is.
    pub uri: String,
}

#[derive(Deserialize)]
struct TaskStatus {
    task_id: String,
    #[serde(default, rename = "task_status")]
    status: String,
    #[serde(default)]
    error_message: Option<String>,
}

#[derive(Deserialize)]
struct TaskResult {
    document: Option<InBody>,
    #[serde(default)]
    documents: Vec<Presigned>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    errors: Value,
}

#[derive(Deserialize)]
struct InBody {
    json_content: Option<Box<serde_json::value::RawValue>>,
}

#[derive(Deserialize)]
struct Presigned {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    errors: Value,
    #[serde(default)]
    artifacts: Vec<Artifact>,
}

impl Service {
    /// Creates the client. Nothing is sent yet.
    pub fn new(args: &ServiceAddress, client: ServiceClient) -> anyhow::Result<Self> {
        let base = args
            .base_url()
            .context("DOCLING_SERVICE_URL is not set; it usually ends in /v1")?;
        ensure!(
            !base.contains("YOUR_INSTANCE"),
            "DOCLING_SERVICE_URL still has YOUR_INSTANCE in it; put the address of your service there"
        );
        ServiceRequest::get(&base).context("DOCLING_SERVICE_URL")?;
        let text = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        let headers = args.docling_convert_source_headers_json.iter();
        Ok(Self {
            client,
            base,
            key: args.api_key().cloned(),
            headers: headers
                .map(|(name, value)| (name.clone(), text(value)))
                .collect(),
            options: args.docling_convert_options_json.clone(),
        })
    }

    /// Returns the service's version; `None` when it does not answer with one.
    pub fn version(&self, deadline: Deadline) -> Option<String> {
        let request =
            self.with_headers(ServiceRequest::get(&format!("{}/version", self.base)).ok()?);
        let versions: Value = match self.client.json(&request, deadline) {
            Ok(versions) => versions,
            Err(error) => {
                tracing::info!(%error, "the service does not say its version");
                return None;
            }
        };
        let version = versions
            .get("docling-serve")
            .or_else(|| versions.get("version"));
        version?.as_str().map(str::to_owned)
    }

    /// Returns what a conversion depends on.
    pub fn cache_key(&self, source: &Source) -> anyhow::Result<CacheKey> {
        let content = match source {
            Source::Url(url) => url.clone().into_bytes(),
            Source::File { path, .. } => fs::read(path)?,
        };
        let options = serde_json::to_string(&self.options)?;
        Ok(CacheKey::new([
            self.base.as_bytes(),
            options.as_bytes(),
            &content,
        ]))
    }

    /// Begins a conversion. The document is asked for as something to be fetched, and in the answer itself where the
    /// service has no place to put it.
    pub fn submit(&self, source: &Source, deadline: Deadline) -> anyhow::Result<Job> {
        let submit = |target: &str| -> anyhow::Result<Result<TaskStatus, ServiceError>> {
            let request = match source {
                Source::Url(url) => self.url_request(url, target)?,
                Source::File { path, name } => {
                    let content = fs::read(path)
                        .with_context(|| format!("cannot read {}", path.display()))?;
                    self.file_request(name, &content, target)?
                }
            };
            Ok(self.client.json(&request, deadline))
        };
        let status = match submit("presigned_url")? {
            Err(ServiceError::Status {
                status: 400 | 422,
                body,
                ..
            }) if is_about_target(&body) => submit("inbody")??,
            status => status?,
        };
        tracing::debug!(task_id = status.task_id, "conversion begun");
        Ok(Job(status.task_id))
    }

    fn url_request(&self, url: &str, target: &str) -> anyhow::Result<ServiceRequest> {
        let path = url.split(['?', '#']).next().unwrap_or_default();
        let extension = path.rsplit_once('.').map(|(_, extension)| extension);
        if extension.is_some_and(|extension| extension.eq_ignore_ascii_case("zip")) {
            bail!("archives are not converted; give the address of a document");
        }
        let mut options = self.options.clone();
        options.insert("to_formats".to_owned(), json!(FORMATS));
        let body = json!({
            "options": options,
            "sources": [{ "kind": "http", "url": url, "headers": {} }],
            "target": { "kind": target },
        });
        let request = ServiceRequest::post(&format!("{}/v1/convert/source/async", self.base))?;
        Ok(self.with_own_headers(request).json(&body))
    }

    fn file_request(
        &self,
        name: &str,
        content: &[u8],
        target: &str,
    ) -> anyhow::Result<ServiceRequest> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for (name, value) in &self.options {
            let texts = match value {
                Value::Array(items)
                    if items
                        .iter()
                        .all(|item| !item.is_array() && !item.is_object()) =>
                {
                    items.iter().map(field_text).collect()
                }
                value => vec![field_text(value)],
            };
            fields.extend(texts.into_iter().map(|text| (name.clone(), text)));
        }
        fields.retain(|(name, _)| name != "to_formats");
        fields.extend(FORMATS.map(|format| ("to_formats".to_owned(), format.to_owned())));
        fields.push(("target_type".to_owned(), target.to_owned()));
        let (_, kind) = name_and_kind(name);
        let file = FormFile {
            field: "files",
            name,
            content_type: kind,
            content,
        };
        let (content_type, body) = form(&fields, &file);
        let request = ServiceRequest::post(&format!("{}/v1/convert/file/async", self.base))?;
        Ok(self.with_own_headers(request).bytes(&content_type, body))
    }

    /// Waits for the end of a conversion; false when time ran out before.
    pub fn wait(&self, job: &Job, deadline: Deadline) -> anyhow::Result<bool> {
        let mut pause = PAUSE;
        loop {
            if deadline.is_over() {
                return Ok(false);
            }
            let request = self
                .job_request("status/poll", job)?
                .query("wait", POLL_SECONDS);
            let status: TaskStatus = match self.client.json(&request, deadline) {
                Ok(status) => status,
                Err(ServiceError::Timeout { .. } | ServiceError::NoTimeLeft { .. })
                    if deadline.is_over() =>
                {
                    return Ok(false);
                }
                Err(error) => return Err(error.into()),
            };
            match status.status.as_str() {
                "success" => return Ok(true),
                "failure" => bail!(
                    "the conversion failed{}",
                    status
                        .error_message
                        .map_or_else(String::new, |message| format!(": {message}"))
                ),
                _ => {}
            }
            thread::sleep(pause.min(deadline.remaining()));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Fetches the result of a conversion.
    pub fn result(&self, job: &Job, deadline: Deadline) -> anyhow::Result<Converted> {
        let result: TaskResult = self
            .client
            .json(&self.job_request("result", job)?, deadline)?;
        if let Some(document) = result.document {
            check(result.status.as_deref(), &result.errors)?;
            let json = document
                .json_content
                .context("the service converted without a document in JSON")?;
            return Ok(Converted::Document(json.get().to_owned()));
        }
        let first = result.documents.into_iter().next();
        let first = first.with_context(|| {
            format!(
                "the service answered without a document{}",
                listed(&result.errors)
            )
        })?;
        check(
            first.status.as_deref().or(result.status.as_deref()),
            &first.errors,
        )?;
        Ok(Converted::Artifacts(first.artifacts))
    }

    fn job_request(&self, path: &str, job: &Job) -> Result<ServiceRequest, ServiceError> {
        let id = utf8_percent_encode(&job.0, NON_ALPHANUMERIC)
            .to_string()
            .replace("%2D", "-")
            .replace("%5F", "_");
        let request = ServiceRequest::get(&format!("{}/v1/{path}/{id}", self.base))?;
        Ok(self.with_headers(request))
    }

    fn with_headers(&self, request: ServiceRequest) -> ServiceRequest {
        let request = request.header("accept-docling-document-version", DOCUMENT_VERSION);
        match &self.key {
            Some(key) => request.secret_header("x-api-key", key),
            None => request,
        }
    }

    fn with_own_headers(&self, request: ServiceRequest) -> ServiceRequest {
        let request = self.with_headers(request);
        self.headers.iter().fold(request, |request, (name, value)| {
            request.secret_header(name, &Secret::from(value.as_str()))
        })
    }
}

/// Picks the form that a document is read from.
pub(crate) fn best_artifact(artifacts: &[Artifact]) -> anyhow::Result<&Artifact> {
    let of = |kind: &str| {
        artifacts
            .iter()
            .find(|artifact| artifact.artifact_type == kind)
    };
    of("json")
        .or_else(|| of("resource_bundle"))
        .context("the service offers neither JSON nor a bundle of the document")
}

/// Returns a document as JSON from a fetched artifact.
pub(crate) fn artifact_document(
    artifact: &Artifact,
    content: Vec<u8>,
    max_bytes: u64,
) -> anyhow::Result<String> {
    let json = if artifact.artifact_type == "resource_bundle" {
        bundle::document(&content, max_bytes)?
    } else {
        let n_bytes = content.len() as u64;
        ensure!(
            n_bytes <= max_bytes,
            "the document is larger than {max_bytes} bytes (DOCLING_MAX_RESULT_MB)"
        );
        content
    };
    String::from_utf8(json).context("the document is not UTF-8")
}

fn is_about_target(body: &str) -> bool {
    let body = body.to_lowercase();
    ["artifact storage", "presigned"]
        .iter()
        .any(|words| body.contains(words))
}

fn check(status: Option<&str>, errors: &Value) -> anyhow::Result<()> {
    match status.map(str::to_lowercase).as_deref() {
        None | Some("success" | "partial_success") => Ok(()),
        Some(status) => bail!("the conversion ended with {status}{}", listed(errors)),
    }
}

/// Returns what the service says about errors, in a line.
fn listed(errors: &Value) -> String {
    let errors = errors.as_array().into_iter().flatten();
    let texts: Vec<_> = errors
        .filter_map(|error| error["error_message"].as_str().or_else(|| error.as_str()))
        .map(|text| text.chars().take(300).collect::<String>())
        .take(3)
        .collect();
    if texts.is_empty() {
        String::new()
    } else {
        format!(": {}", texts.join("; "))
    }
}

fn field_text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

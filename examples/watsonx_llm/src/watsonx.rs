//! Asks models of watsonx.ai.

use std::time::Duration;

use label_studio_ml::{
    Map, Value,
    anyhow::{self, Context, ensure},
    json,
};
use label_studio_services::{Deadline, Secret, ServiceClient, ServiceError, ServiceRequest};
use serde::Deserialize;

use crate::{Endpoint, IamTokens, WatsonxArgs, model_id};

/// Most models that one answer can list.
const MAX_LISTED: &str = "200";
/// Time for the check at the start, which must not hold up a backend whose network is not there yet.
const CHECK_TIME: Duration = Duration::from_secs(20);

/// Question for a model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Question {
    /// The whole prompt.
    pub text: String,
    /// Images as `data:` addresses, for the chat endpoint.
    pub images: Vec<String>,
}

/// Asks one model of watsonx.ai.
#[derive(Debug)]
pub struct Watsonx {
    client: ServiceClient,
    tokens: IamTokens,
    base: String,
    version: String,
    endpoint: Endpoint,
    model_id: String,
    project_id: String,
    max_new_tokens: u32,
    parameters: Map<String, Value>,
}

#[derive(Deserialize)]
struct Generated {
    #[serde(default)]
    results: Vec<GeneratedText>,
}

#[derive(Deserialize)]
struct GeneratedText {
    generated_text: String,
}

#[derive(Deserialize)]
struct ModelSpecs {
    resources: Vec<ModelSpec>,
}

#[derive(Deserialize)]
struct ModelSpec {
    model_id: String,
}

impl Watsonx {
    /// Creates the client. Nothing is sent yet.
    ///
    /// # Errors
    /// When a flag is missing, the model's name is unknown, or an address is none.
    pub fn new(args: &WatsonxArgs, client: ServiceClient) -> anyhow::Result<Self> {
        let text = |value: &Option<String>, name: &str| {
            let text = value
                .as_deref()
                .map(str::trim)
                .filter(|text| !text.is_empty());
            text.map(str::to_owned)
                .with_context(|| format!("{name} is not set"))
        };
        let key = args.watsonx_api_key.as_ref().filter(|key| !key.is_empty());
        let key = key.context("WATSONX_API_KEY is not set; create an IBM Cloud API key")?;
        let model = text(&args.watsonx_modeltype, "WATSONX_MODELTYPE")?;
        let base = args.watsonx_url.trim().trim_end_matches('/').to_owned();
        ServiceRequest::get(&base).context("WATSONX_URL")?;
        let tokens = IamTokens::new(client.clone(), &args.watsonx_iam_url, key);
        Ok(Self {
            client,
            tokens: tokens.context("WATSONX_IAM_URL")?,
            base,
            version: args.watsonx_api_version.clone(),
            endpoint: args.watsonx_endpoint,
            model_id: model_id(&model)?.to_owned(),
            project_id: text(&args.watsonx_project_id, "WATSONX_PROJECT_ID")?,
            max_new_tokens: args.max_new_tokens,
            parameters: args.watsonx_parameters.clone(),
        })
    }

    /// Returns how the model is asked.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// Checks that watsonx.ai offers the model. That it cannot be asked is logged only: it may be back when it is needed.
    pub fn check_model(&self) -> anyhow::Result<()> {
        let deadline = Deadline::after(CHECK_TIME);
        let url = format!("{}/ml/v1/foundation_model_specs", self.base);
        let request = ServiceRequest::get(&url)?
            .query("version", &self.version)
            .query("limit", MAX_LISTED);
        let specs: ModelSpecs = match self.authorized(&request, deadline) {
            Ok(specs) => specs,
            Err(error) => {
                tracing::error!("watsonx.ai cannot be asked for its models: {error:#}");
                return Ok(());
            }
        };
        let mut ids: Vec<_> = specs
            .resources
            .into_iter()
            .map(|spec| spec.model_id)
            .collect();
        ids.sort_unstable();
        ensure!(
            ids.contains(&self.model_id),
            "{} does not offer the model {}; set WATSONX_MODELTYPE to one of {}, or WATSONX_CHECK_MODEL=0",
            self.base,
            self.model_id,
            ids.join(", ")
        );
        Ok(())
    }

    /// Asks the model.
    pub fn ask(&self, question: &Question, deadline: Deadline) -> anyhow::Result<String> {
        match self.endpoint {
            Endpoint::Generation => {
                let body = json!({
                    "model_id": self.model_id,
                    "input": question.text,
                    "parameters": self.with_parameters(json!({ "max_new_tokens": self.max_new_tokens })),
                    "project_id": self.project_id,
                });
                let request = self.post("text/generation")?.json(&body);
                let generated: Generated = self.authorized(&request, deadline)?;
                let first = generated.results.into_iter().next();
                let first = first.context("watsonx.ai answered without any result")?;
                Ok(first.generated_text)
            }
            Endpoint::Chat => {
                let body = self.with_parameters(json!({
                    "model_id": self.model_id,
                    "messages": [message(question)],
                    "max_tokens": self.max_new_tokens,
                    "project_id": self.project_id,
                }));
                let request = self.post("text/chat")?.json(&body);
                let reply: Value = self.authorized(&request, deadline)?;
                let content = reply.pointer("/choices/0/message/content");
                let content = content.context("watsonx.ai answered without any choice")?;
                Ok(content.as_str().unwrap_or_default().to_owned())
            }
        }
    }

    fn post(&self, path: &str) -> Result<ServiceRequest, ServiceError> {
        let url = format!("{}/ml/v1/{path}", self.base);
        Ok(ServiceRequest::post(&url)?.query("version", &self.version))
    }

    fn with_parameters(&self, mut fields: Value) -> Value {
        for (name, value) in &self.parameters {
            fields[name] = value.clone();
        }
        fields
    }

    /// Sends with a token; once more with a fresh one when the first is refused.
    fn authorized<T: for<'a> Deserialize<'a>>(
        &self,
        request: &ServiceRequest,
        deadline: Deadline,
    ) -> anyhow::Result<T> {
        let send = |token: &Secret| self.client.json(&request.clone().bearer(token), deadline);
        let token = self.tokens.token(deadline)?;
        match send(&token) {
            Err(ServiceError::Status { status: 401, .. }) => {
                self.tokens.forget(&token);
                Ok(send(&self.tokens.token(deadline)?)?)
            }
            answer => Ok(answer?),
        }
    }
}

fn message(question: &Question) -> Value {
    if question.images.is_empty() {
        return json!({ "role": "user", "content": question.text });
    }
    let mut content = vec![json!({ "type": "text", "text": question.text })];
    let image = |url: &String| json!({ "type": "image_url", "image_url": { "url": url } });
    content.extend(question.images.iter().map(image));
    json!({ "role": "user", "content": content })
}

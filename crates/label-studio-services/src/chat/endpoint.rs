//! Addresses of chat models.

use crate::{Secret, ServiceError, ServiceRequest};

/// Base of OpenAI's own API.
const OPENAI: &str = "https://api.openai.com/v1";

/// Address of a chat model, and the key for it.
#[derive(Debug, Clone)]
pub struct ChatEndpoint {
    request: ServiceRequest,
}

/// A deployment of a model in an Azure resource.
#[derive(Debug, Clone, Copy)]
pub struct AzureDeployment<'a> {
    /// Address of the resource: `https://<resource>.openai.azure.com`.
    pub resource_endpoint: &'a str,
    /// Name of the deployment.
    pub name: &'a str,
    /// Version of Azure's API, a date.
    pub api_version: &'a str,
}

impl ChatEndpoint {
    /// Address and key of OpenAI.
    pub fn openai(key: &Secret) -> Result<Self, ServiceError> {
        Self::compatible(OPENAI, Some(key))
    }

    /// Any server with OpenAI's API, by its base address (`http://localhost:8000/v1`).
    pub fn compatible(base_url: &str, key: Option<&Secret>) -> Result<Self, ServiceError> {
        let base_url = base_url.trim().trim_end_matches('/');
        let mut request = ServiceRequest::post(&format!("{base_url}/chat/completions"))?;
        if let Some(key) = key.filter(|key| !key.is_empty()) {
            request = request.bearer(key);
        }
        Ok(Self { request })
    }

    /// Ollama by the base address of its OpenAI API (`http://localhost:11434/v1/`); it takes any key.
    pub fn ollama(base_url: &str) -> Result<Self, ServiceError> {
        // No secret: hidden, it would vanish from addresses such as http://ollama:11434, too.
        let Self { request } = Self::compatible(base_url, None)?;
        Ok(Self {
            request: request.header("authorization", "Bearer ollama"),
        })
    }

    /// A model that is deployed in Azure.
    pub fn azure(deployment: &AzureDeployment<'_>, key: &Secret) -> Result<Self, ServiceError> {
        let resource = deployment.resource_endpoint.trim().trim_end_matches('/');
        let name = deployment.name.trim();
        let base = format!("{resource}/openai/deployments/{name}");
        // Gateways in front of Azure look for either header.
        let Self { request } = Self::compatible(&base, Some(key))?;
        Ok(Self {
            request: request
                .query("api-version", deployment.api_version)
                .secret_header("api-key", key),
        })
    }

    /// Returns the address for logs and errors.
    pub fn shown_url(&self) -> String {
        self.request.shown_url()
    }

    pub(super) fn request(&self) -> ServiceRequest {
        self.request.clone()
    }
}

//! Providers of chat models.

use std::num::NonZeroU32;

use clap::{Args, ValueEnum};
use label_studio_ml::{
    Value,
    anyhow::{self, Context, bail},
};
use label_studio_services::{AzureDeployment, ChatArgs, ChatEndpoint, first_filled};

/// Hosts of Azure's resources.
const AZURE_HOSTS: [&str; 3] = [
    ".openai.azure.com",
    ".cognitiveservices.azure.com",
    ".services.ai.azure.com",
];

/// Provider of the chat model
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Provider {
    /// OpenAI, or any server with its API at the base address
    #[default]
    #[value(name = "openai")]
    OpenAi,
    /// A deployment in Azure OpenAI
    Azure,
    /// Ollama
    Ollama,
}

/// Provider of the chat model, and its settings
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Chat model")]
pub struct ProviderArgs {
    /// Provider of the chat model
    #[arg(
        long,
        env = "OPENAI_PROVIDER",
        value_enum,
        ignore_case = true,
        default_value_t
    )]
    pub openai_provider: Provider,

    /// Chat model and its settings.
    #[command(flatten)]
    pub chat: ChatArgs,

    /// Address of the Azure resource, on openai.azure.com
    #[arg(long, env = "AZURE_RESOURCE_ENDPOINT")]
    pub azure_resource_endpoint: Option<String>,

    /// Deployment in the Azure resource
    #[arg(long, env = "AZURE_DEPLOYMENT_NAME")]
    pub azure_deployment_name: Option<String>,

    /// Version of Azure's API
    #[arg(long, env = "AZURE_API_VERSION", default_value = "2023-05-15")]
    pub azure_api_version: String,

    /// Base address of Ollama, with its /v1/
    #[arg(long, env = "OLLAMA_ENDPOINT")]
    pub ollama_endpoint: Option<String>,

    /// Answers per task; all of them go into the response
    #[arg(long, env = "NUM_RESPONSES", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub num_responses: u32,
}

impl ProviderArgs {
    /// Returns the settings of a project: these, overridden by its extra params.
    ///
    /// The backend's own key goes to the backend's own address, to OpenAI and to Azure only: params that name another
    /// address must bring a key.
    pub fn of_project(&self, params: &Value) -> anyhow::Result<Self> {
        let mut own = self.clone();
        let text = |name: &str| match &params[name] {
            Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            _ => None,
        };
        if let Some(name) = text("provider") {
            own.openai_provider = Provider::from_str(&name, true).ok().with_context(|| {
                format!("provider {name:?} is unknown; it can be openai, azure or ollama")
            })?;
        }
        if let Some(base_url) = text("base_url") {
            match own.openai_provider {
                Provider::Ollama => own.ollama_endpoint = Some(base_url),
                Provider::OpenAi => own.chat.openai_base_url = Some(base_url),
                // Azure's address is `resource_endpoint`.
                Provider::Azure => {}
            }
        }
        own.azure_resource_endpoint =
            text("resource_endpoint").or_else(|| own.azure_resource_endpoint.clone());
        own.azure_deployment_name =
            text("deployment_name").or_else(|| own.azure_deployment_name.clone());
        own.chat.openai_model = text("model").or_else(|| own.chat.openai_model.clone());
        if let Some(version) = text("api_version") {
            own.azure_api_version = version;
        }
        if let Some(n) = number::<NonZeroU32>(&params["num_responses"]) {
            own.num_responses = n.get();
        }
        if let Some(temperature) = number(&params["temperature"]) {
            own.chat.temperature = temperature;
        }
        match text("api_key") {
            Some(key) => own.chat.openai_api_key = Some(key.into()),
            None if !own.may_have_key_of(self) => own.chat.openai_api_key = None,
            None => {}
        }
        Ok(own)
    }

    /// Returns whether the address may be given the key of the settings that these were made from.
    fn may_have_key_of(&self, own: &Self) -> bool {
        match self.openai_provider {
            Provider::OpenAi => {
                self.chat.openai_base_url.is_none()
                    || self.chat.openai_base_url == own.chat.openai_base_url
            }
            Provider::Azure => {
                let resource = &self.azure_resource_endpoint;
                *resource == own.azure_resource_endpoint
                    || resource.as_deref().is_some_and(is_azure)
            }
            Provider::Ollama => true,
        }
    }

    /// Returns where to ask.
    pub fn endpoint(&self) -> anyhow::Result<ChatEndpoint> {
        let key = self.chat.key();
        let needed = || {
            key.context(
                "no key for the chat model: set OPENAI_API_KEY, or api_key in the extra params \
                 where those name an address",
            )
        };
        let endpoint = match self.openai_provider {
            Provider::OpenAi => match self.chat.base_url() {
                Some(base_url) => ChatEndpoint::compatible(base_url, key),
                None => ChatEndpoint::openai(needed()?),
            },
            Provider::Azure => {
                let deployment = AzureDeployment {
                    resource_endpoint: first_filled([&self.azure_resource_endpoint])
                        .context("AZURE_RESOURCE_ENDPOINT is not set")?,
                    name: first_filled([&self.azure_deployment_name])
                        .context("AZURE_DEPLOYMENT_NAME is not set")?,
                    api_version: &self.azure_api_version,
                };
                ChatEndpoint::azure(&deployment, needed()?)
            }
            Provider::Ollama => {
                let base_url =
                    first_filled([&self.ollama_endpoint]).context("OLLAMA_ENDPOINT is not set")?;
                ChatEndpoint::ollama(base_url)
            }
        };
        Ok(endpoint?)
    }

    /// Returns the name of the model.
    pub fn model(&self) -> anyhow::Result<&str> {
        Ok(match (self.chat.model(), self.openai_provider) {
            (Some(name), _) => name,
            (None, Provider::OpenAi) => ChatArgs::OPENAI_MODEL,
            (None, Provider::Azure) => "gpt-35-turbo",
            (None, Provider::Ollama) => bail!("OPENAI_MODEL is not set, and Ollama has no default"),
        })
    }
}

/// Returns whether an address is one of Microsoft's, which may receive the key.
fn is_azure(resource_endpoint: &str) -> bool {
    let Some(rest) = resource_endpoint.trim().strip_prefix("https://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    !host.contains('@') && AZURE_HOSTS.iter().any(|suffix| host.ends_with(suffix))
}

/// Reads a number, which people write as text, too.
fn number<T: std::str::FromStr>(value: &Value) -> Option<T> {
    match value {
        Value::Number(number) => number.to_string().parse().ok(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

//! Flags of the backend.

use clap::{ArgAction, Args, ValueEnum, builder::BoolishValueParser};
use label_studio_ml::{Map, Value};
use label_studio_services::{Secret, ServiceArgs, TemplateArgs, parse_object};
use label_studio_vision::llm::LlmImageArgs;

/// Settings of watsonx.ai, of the question, and of the table for annotations.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// watsonx.ai, and the model.
    #[command(flatten)]
    pub watsonx: WatsonxArgs,

    /// How a question is made.
    #[command(flatten)]
    pub prompt: TemplateArgs,

    /// Size of images, and OCR.
    #[command(flatten)]
    pub images: LlmImageArgs,

    /// Table for annotations.
    #[command(flatten)]
    pub export: ExportArgs,

    /// Time-outs, retries and proxy of services.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// watsonx.ai, and the model
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "watsonx.ai")]
pub struct WatsonxArgs {
    /// Address of watsonx.ai in your region
    #[arg(
        long,
        env = "WATSONX_URL",
        default_value = "https://us-south.ml.cloud.ibm.com"
    )]
    pub watsonx_url: String,

    /// IBM Cloud API key
    #[arg(long, env = "WATSONX_API_KEY", hide_env_values = true)]
    pub watsonx_api_key: Option<Secret>,

    /// Id of the watsonx.ai project that is billed
    #[arg(long, env = "WATSONX_PROJECT_ID")]
    pub watsonx_project_id: Option<String>,

    /// Model: its id, such as ibm/granite-3-8b-instruct, or its name in IBM's Python library, such as `GRANITE_13B_CHAT_V2`
    #[arg(long, env = "WATSONX_MODELTYPE")]
    pub watsonx_modeltype: Option<String>,

    /// Address that exchanges the API key for tokens
    #[arg(
        long,
        env = "WATSONX_IAM_URL",
        default_value = "https://iam.cloud.ibm.com/oidc/token"
    )]
    pub watsonx_iam_url: String,

    /// API that generates the answer
    #[arg(long, env = "WATSONX_ENDPOINT", value_enum, default_value_t)]
    pub watsonx_endpoint: Endpoint,

    /// Version of the API, a date
    #[arg(long, env = "WATSONX_API_VERSION", default_value = "2024-10-10")]
    pub watsonx_api_version: String,

    /// Most tokens of an answer
    #[arg(long, env = "MAX_NEW_TOKENS", default_value_t = 50)]
    pub max_new_tokens: u32,

    /// JSON object with more parameters of the model, such as {"temperature": 0.2}
    #[arg(long, env = "WATSONX_PARAMETERS", default_value = "{}", value_parser = parse_object)]
    pub watsonx_parameters: Map<String, Value>,

    /// Check at start that watsonx.ai offers the model
    #[arg(long, env = "WATSONX_CHECK_MODEL", default_value = "true", action = ArgAction::Set,
          value_parser = BoolishValueParser::new())]
    pub watsonx_check_model: bool,
}

/// API that generates the answer
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Endpoint {
    /// `text/generation`: the prompt as it is; images as text
    #[default]
    Generation,
    /// `text/chat`: the prompt as a message, for chat models; images as images
    Chat,
}

/// Table for annotations
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "watsonx.data")]
pub struct ExportArgs {
    /// User of the Presto engine; IBM Cloud wants ibmlhapikey
    #[arg(long, env = "WATSONX_ENG_USERNAME")]
    pub watsonx_eng_username: Option<String>,

    /// Host of the Presto engine
    #[arg(long, env = "WATSONX_ENG_HOST")]
    pub watsonx_eng_host: Option<String>,

    /// Port of the Presto engine
    #[arg(long, env = "WATSONX_ENG_PORT")]
    pub watsonx_eng_port: Option<String>,

    /// Catalog of the table
    #[arg(long, env = "WATSONX_CATALOG")]
    pub watsonx_catalog: Option<String>,

    /// Schema of the table
    #[arg(long, env = "WATSONX_SCHEMA")]
    pub watsonx_schema: Option<String>,

    /// Table that annotations are copied to; it is created when it is missing
    #[arg(long, env = "WATSONX_TABLE")]
    pub watsonx_table: Option<String>,

    /// Secret that the webhook for /data/upload must send in the header X-Export-Token or as bearer token
    #[arg(long, env = "WATSONX_EXPORT_TOKEN", hide_env_values = true)]
    pub watsonx_export_token: Option<Secret>,
}

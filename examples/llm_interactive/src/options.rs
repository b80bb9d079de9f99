//! Flags of the backend.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum, builder::FalseyValueParser};
use label_studio_ml::{Map, Value};
use label_studio_services::{BudgetArgs, ServiceArgs, TemplateArgs, parse_object};
use label_studio_vision::llm::LlmImageArgs;

use crate::ProviderArgs;

/// Settings of the provider, of the question, and of its costs.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Provider of the chat model, and its settings.
    #[command(flatten)]
    pub provider: ProviderArgs,

    /// How a question is made.
    #[command(flatten)]
    pub prompt: QuestionArgs,

    /// Form of images and documents in the question.
    #[command(flatten)]
    pub media: MediaArgs,

    /// Limits of answers.
    #[command(flatten)]
    pub limits: LimitArgs,

    /// Time-outs, retries and proxy of services.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// Question and form of the answer
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Prompt")]
pub struct QuestionArgs {
    /// Template of the question.
    #[command(flatten)]
    pub template: TemplateArgs,

    /// System message before every question
    #[arg(long, env = "SYSTEM_PROMPT")]
    pub system_prompt: Option<String>,

    /// Request JSON, so that every control gets its own value
    #[arg(long, env = "STRUCTURED_OUTPUT", value_enum, default_value_t)]
    pub structured_output: StructuredOutput,
}

/// Form of images and PDF documents in the question
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Images and documents")]
pub struct MediaArgs {
    /// Form of images and PDF documents in the question
    #[arg(long, env = "MEDIA_MODE", value_enum, default_value_t)]
    pub media_mode: MediaMode,

    /// Size of images, and OCR.
    #[command(flatten)]
    pub images: LlmImageArgs,

    /// Program that reads the text of PDF documents
    #[arg(long, env = "PDFTOTEXT_CMD", default_value = "pdftotext")]
    pub pdftotext_cmd: PathBuf,
}

/// Limits of answers
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// Most tokens of an answer, sent as `max_tokens`
    #[arg(long, env = "MAX_ANSWER_TOKENS")]
    pub max_answer_tokens: Option<u32>,

    /// Limits of costs.
    #[command(flatten)]
    pub budget: BudgetArgs,

    /// Megabytes of answers to keep, so that a batch that is predicted again costs nothing
    #[arg(long, env = "RESPONSE_CACHE_MB", default_value_t = 64)]
    pub response_cache_mb: usize,

    /// Stream answers; at the time-out the part that has arrived is kept
    #[arg(long, env = "STREAM", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub stream: bool,

    /// JSON object with more fields for every request; null takes a field away
    #[arg(long, env = "EXTRA_BODY", default_value = "{}", value_parser = parse_object)]
    pub extra_body: Map<String, Value>,
}

/// Form of the answer
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum StructuredOutput {
    /// Plain text, matched with the choices
    #[default]
    Off,
    /// JSON that the provider holds to a schema
    JsonSchema,
    /// JSON that the question describes, for providers without schemas
    JsonObject,
}

/// Form of images and PDF documents in the question
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum MediaMode {
    /// Images as parts of the message, but as text for gpt-3.5, which cannot see; documents as text
    #[default]
    Auto,
    /// As parts of the message, for models that can see
    Parts,
    /// As text, read by the programs tesseract and pdftotext
    Text,
}

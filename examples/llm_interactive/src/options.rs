//! Flags of the backend.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum, builder::FalseyValueParser};
use label_studio_ml::{Map, Value};
use label_studio_services::{BudgetArgs, PictureArgs, ServiceArgs, TemplateArgs, parse_object};

use crate::ProviderArgs;

/// How questions are made, whom they go to, and what they may cost.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Whom questions go to, and how.
    #[command(flatten)]
    pub provider: ProviderArgs,

    /// How a question is made.
    #[command(flatten)]
    pub prompt: QuestionArgs,

    /// How images and documents reach the model.
    #[command(flatten)]
    pub media: MediaArgs,

    /// What an answer may cost.
    #[command(flatten)]
    pub limits: LimitArgs,

    /// How services are called.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// What a question says besides the prompt, and the form of its answer
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Prompt")]
pub struct QuestionArgs {
    /// How a question is made, by which template.
    #[command(flatten)]
    pub template: TemplateArgs,

    /// Message that tells the model who it is, before every question
    #[arg(long, env = "SYSTEM_PROMPT")]
    pub system_prompt: Option<String>,

    /// Have the model answer in JSON, so that every control gets its own value
    #[arg(long, env = "STRUCTURED_OUTPUT", value_enum, default_value_t)]
    pub structured_output: StructuredOutput,
}

/// How images and PDF documents reach the model
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Images and documents")]
pub struct MediaArgs {
    /// How images and PDF documents reach the model
    #[arg(long, env = "MEDIA_MODE", value_enum, default_value_t)]
    pub media_mode: MediaMode,

    /// How images reach the model.
    #[command(flatten)]
    pub pictures: PictureArgs,

    /// Program that reads the text of PDF documents
    #[arg(long, env = "PDFTOTEXT_CMD", default_value = "pdftotext")]
    pub pdftotext_cmd: PathBuf,
}

/// What an answer may cost
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// Most tokens of an answer, sent as `max_tokens`
    #[arg(long, env = "MAX_ANSWER_TOKENS")]
    pub max_answer_tokens: Option<u32>,

    /// What answers may cost.
    #[command(flatten)]
    pub budget: BudgetArgs,

    /// Megabytes of answers to keep, so that a batch that is predicted again costs nothing
    #[arg(long, env = "RESPONSE_CACHE_MB", default_value_t = 64)]
    pub response_cache_mb: usize,

    /// Have answers sent piece by piece: what has arrived when time runs out is kept
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

/// How images and PDF documents reach the model
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

//! Options of the model.

use std::num::NonZeroUsize;

use clap::{Args, Parser, ValueEnum};
use label_studio_services::TemplateArgs;
use label_studio_text::generation::{GenerationOptions, SamplingOptions};

/// Tokens of prompt and continuation together, as in the original.
const MAX_LENGTH: usize = 50;
/// Tokens of an answer to a prompt.
const MAX_NEW_TOKENS: usize = 256;

/// Language model, and how it answers.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model")]
pub struct Options {
    /// Model: a folder, or a name on the hub such as HuggingFaceTB/SmolLM2-135M-Instruct
    #[arg(long, env = "MODEL_NAME", default_value = "facebook/opt-125m")]
    pub model_name: String,

    /// Most tokens of text and continuation together; 50 where no prompt and no conversation is answered
    #[arg(long, env = "MAX_LENGTH")]
    pub max_length: Option<NonZeroUsize>,

    /// Most tokens of an answer, whatever the text has; 256 for prompts and conversations, unless there is a
    /// largest length
    #[arg(long, env = "MAX_NEW_TOKENS")]
    pub max_new_tokens: Option<NonZeroUsize>,

    /// Most tokens of a text with its prompt
    #[arg(long, env = "MAX_PROMPT_TOKENS", default_value = "4096")]
    pub max_prompt_tokens: NonZeroUsize,

    /// Answers per task; more than one need a temperature
    #[arg(long, env = "NUM_RESPONSES", default_value = "1")]
    pub num_responses: NonZeroUsize,

    /// Sampling temperature; 0 takes the most probable token; that of the checkpoint by default
    #[arg(long, env = "TEMPERATURE")]
    pub temperature: Option<f64>,

    /// Draw from so many of the most probable tokens; 0 for all; that of the checkpoint by default
    #[arg(long, env = "TOP_K")]
    pub top_k: Option<usize>,

    /// Draw from the fewest tokens with this probability together; that of the checkpoint by default
    #[arg(long, env = "TOP_P")]
    pub top_p: Option<f64>,

    /// Make tokens that the text has less probable; 1 for no change; that of the checkpoint by default
    #[arg(long, env = "REPETITION_PENALTY")]
    pub repetition_penalty: Option<f64>,

    /// Start of the random numbers: the same one gives the same answers
    #[arg(long, env = "SEED", default_value_t = 0)]
    pub seed: u64,

    /// Text that ends an answer, or a JSON list of such texts
    #[arg(long, env = "STOP")]
    pub stop: Option<String>,

    /// Answers that are generated at the same time
    #[arg(long, env = "BATCH_SIZE", default_value = "8")]
    pub batch_size: NonZeroUsize,

    /// Whether the text is put to the model as a conversation
    #[arg(long, env = "CHAT_TEMPLATE", value_enum, default_value_t)]
    pub chat_template: ChatTemplate,

    /// Message before the text, in conversations
    #[arg(long, env = "SYSTEM_PROMPT")]
    pub system_prompt: Option<String>,

    /// How a question is made.
    #[command(flatten)]
    pub template: TemplateArgs,
}

/// Whether texts become conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ChatTemplate {
    /// Where the model has a chat template
    #[default]
    Auto,
    /// Always; a model without a chat template is refused
    On,
    /// Never: the text is continued as it is
    Off,
}

#[derive(Parser)]
struct Alone {
    #[command(flatten)]
    options: Options,
}

impl Default for Options {
    /// Returns the defaults of the flags.
    fn default() -> Self {
        Alone::parse_from([""]).options
    }
}

impl Options {
    /// Returns how answers are made, where the checkpoint asks for `sampling`. `is_asked` for prompts and conversations.
    pub(crate) fn generation(
        &self,
        sampling: SamplingOptions,
        is_asked: bool,
    ) -> GenerationOptions {
        let max_length = self.max_length.map(NonZeroUsize::get);
        let max_new_tokens = self.max_new_tokens.map(NonZeroUsize::get);
        let has_limit = max_length.or(max_new_tokens).is_some();
        GenerationOptions {
            max_length: max_length.or((!has_limit && !is_asked).then_some(MAX_LENGTH)),
            max_new_tokens: max_new_tokens.or((!has_limit && is_asked).then_some(MAX_NEW_TOKENS)),
            max_prompt_tokens: self.max_prompt_tokens.get(),
            n_answers: self.num_responses.get(),
            batch_size: self.batch_size.get(),
            stop: self.stop.as_deref().map(parse_stop).unwrap_or_default(),
            sampling: SamplingOptions {
                temperature: self.temperature.unwrap_or(sampling.temperature),
                top_k: self.top_k.unwrap_or(sampling.top_k),
                top_p: self.top_p.unwrap_or(sampling.top_p),
                repetition_penalty: self
                    .repetition_penalty
                    .unwrap_or(sampling.repetition_penalty),
                seed: self.seed,
            },
        }
    }
}

/// Reads texts that end an answer: a JSON list, or else one text.
pub fn parse_stop(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_else(|_| vec![text.to_owned()])
}

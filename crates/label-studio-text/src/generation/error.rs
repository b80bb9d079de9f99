//! Why no text can be generated.

use std::path::PathBuf;

use label_studio_inference::hub::HubError;

use crate::tokens::TokensError;

/// Why a language model cannot be read, or cannot answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerationError {
    /// A file cannot be found or fetched.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// The tokenizer cannot be read, or cannot convert a text.
    #[error(transparent)]
    Tokens(#[from] TokensError),
    /// The model has no file of this name.
    #[error("the model {model} has no {file}: {fix}")]
    MissingFile {
        /// The folder or repository.
        model: String,
        /// The missing file.
        file: &'static str,
        /// How it is made.
        fix: &'static str,
    },
    /// The weights are a pickle that does more than describe tensors, or an old or broken one.
    #[error(
        "{} is no plain archive of tensors, and other pickles are not read because they can run code: convert the \
         model once with transformers' AutoModelForCausalLM.from_pretrained(MODEL).save_pretrained(FOLDER, \
         safe_serialization=True) and AutoTokenizer.from_pretrained(MODEL).save_pretrained(FOLDER)", .0.display()
    )]
    Pickle(PathBuf),
    /// A file cannot be read.
    #[error("cannot read {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file is not the JSON that it should be.
    #[error("{} is not the JSON file that belongs to a model", .path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The model is of a family, or has a part, that is not known here.
    #[error("{0}")]
    Unsupported(String),
    /// A number in `config.json` cannot be.
    #[error("config.json has a wrong {name}: {problem}")]
    Size {
        /// Name of the field.
        name: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The file of the weights is damaged, or something else.
    #[error("{} is not a whole file of safetensors: {problem}; fetch it again", .path.display())]
    NotSafetensors {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A tensor that the model needs is not there.
    #[error("the model has no tensor {0}: it is a part of a model, or of another kind")]
    MissingTensor(String),
    /// A tensor has another shape than `config.json` says.
    #[error("tensor {name} has the shape {actual:?}, and config.json asks for {expected:?}")]
    Shape {
        /// Name of the tensor.
        name: String,
        /// Its shape in the file.
        actual: Vec<usize>,
        /// Its shape by `config.json`.
        expected: Vec<usize>,
    },
    /// A tensor holds numbers of a kind that is not read.
    #[error("tensor {name} holds {kind}, and only F32, F16 and BF16 are read")]
    Kind {
        /// Name of the tensor.
        name: String,
        /// Its kind of numbers.
        kind: String,
    },
    /// A tensor holds NaN or infinity.
    #[error(
        "tensor {0} holds numbers that are not finite: the file is damaged, or the training diverged"
    )]
    NotFinite(String),
    /// The model computed NaN or infinity.
    #[error("the model computed numbers that are not finite: its weights are damaged")]
    Diverged,
    /// An id that the model has no embedding for.
    #[error(
        "token {id} is not one of the model's {n_tokens}: tokenizer and weights are of different models"
    )]
    UnknownToken {
        /// Id of the token.
        id: u32,
        /// Tokens of the model.
        n_tokens: usize,
    },
    /// The prompt leaves no room for an answer.
    #[error("the prompt has {n_tokens} tokens, and {limit} are possible at most ({name}): {fix}")]
    TooLong {
        /// Tokens of the prompt.
        n_tokens: usize,
        /// Most that are possible.
        limit: usize,
        /// Where the limit comes from.
        name: &'static str,
        /// How it is changed.
        fix: &'static str,
    },
    /// The prompt is empty, and the model has no token to start from.
    #[error("the prompt is empty, and the model names no bos_token_id to start from: give a text")]
    NoStart,
    /// The model has no chat template.
    #[error(
        "the model {model} has no chat template (chat_template in tokenizer_config.json, or chat_template.jinja): \
         choose a model that was trained for chats, or set CHAT_TEMPLATE=off"
    )]
    NoChatTemplate {
        /// The folder or repository.
        model: String,
    },
    /// The chat template cannot be rendered.
    #[error("the model's chat template cannot be rendered; CHAT_TEMPLATE=off does without it")]
    ChatTemplate(#[from] minijinja::Error),
    /// An option has no meaning.
    #[error("{0}")]
    Options(String),
    /// The caller gave up.
    #[error("no time was left for the answer: ask for fewer tasks or fewer tokens at once")]
    Stopped,
}

impl GenerationError {
    pub(super) fn size(name: &'static str, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        Self::Size { name, problem }
    }
}

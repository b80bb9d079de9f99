//! A language model: a decoder with its tokenizer.

use std::{fs, path::Path};

use label_studio_inference::hub::Hub;
use serde_json::Value;

use super::{
    AnswerEnd, GenerationError, GenerationOptions, Message, SamplingOptions,
    answers::{Batch, ChatTemplate, Finished, Job, clean_up, first_stop},
    checkpoint::{Architecture, Fields, ModelFiles, TokenizerFiles, load},
    model::Decoder,
};
use crate::tokens::{BytePairs, Tokenizer};

/// Characters per token of which a text is tokenized: a longer one is too long in any case, and would take time.
const MAX_CHARS_PER_TOKEN: usize = 256;
/// Tokens that templates and tokenizers name.
const NAMED_TOKENS: [&str; 4] = ["bos_token", "eos_token", "unk_token", "pad_token"];

/// A decoder with its tokenizer, which many threads may ask at once.
#[derive(Debug)]
pub struct LanguageModel {
    name: String,
    decoder: Decoder,
    tokenizer: Tokenizer,
    chat_template: Option<ChatTemplate>,
    sampling: SamplingOptions,
}

/// The tokens that an answer continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    ids: Vec<u32>,
}

/// An answer to a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The text behind the prompt, without white space around it.
    pub text: String,
    /// Ids of its tokens.
    pub ids: Vec<u32>,
    /// Mean probability of its tokens, of which the one that ended it is one, by the model alone: temperature and the
    /// like do not change it.
    pub probability: f64,
    /// Why it ends.
    pub end: AnswerEnd,
}

impl LanguageModel {
    /// Reads a model by its name: a folder, or the name of a repository on the hub as `owner/name`, `name`, or either
    /// with `@revision`. Missing files are fetched.
    pub fn load(name: &str, hub: &Hub) -> Result<Self, GenerationError> {
        let files = ModelFiles::find(name, hub)?;
        let config = Fields::read(&files.config)?;
        let mut architecture = Architecture::of(&config)?;
        let generation = match &files.generation_config {
            Some(path) => Fields::read(path)?,
            None => Fields::default(),
        };
        let ends = generation.ids("eos_token_id");
        if !ends.is_empty() {
            architecture.ends = ends;
        }
        let tokenizer_config = match &files.tokenizer_config {
            Some(path) => Fields::read(path)?,
            None => Fields::default(),
        };
        let tokens = named_tokens(&tokenizer_config);
        let tokenizer = match &files.tokenizer {
            TokenizerFiles::Json(path) => Tokenizer::from_file(path)?,
            TokenizerFiles::Merges { vocab, merges } => {
                let token = |name| {
                    let mut named = tokens.iter();
                    named
                        .find(|(known, _)| known == name)
                        .map(|(_, token)| token.as_str())
                };
                let needs_start = tokenizer_config.flag("add_bos_token") == Some(true);
                Tokenizer::from_byte_pairs(&BytePairs {
                    vocab,
                    merges,
                    special: tokens.iter().map(|(_, token)| token.as_str()).collect(),
                    start: token("bos_token").filter(|_| needs_start),
                })?
            }
        };
        let template = template(&files, &tokenizer_config)?;
        let template = template.map(|template| ChatTemplate::new(&template, tokens));
        let weights = load(&architecture, &files.weights)?;
        Ok(Self {
            name: files.name,
            decoder: Decoder::new(architecture, weights),
            tokenizer,
            chat_template: template.transpose()?,
            sampling: SamplingOptions::of(&generation),
        })
    }

    /// Returns how many tokens prompt and answer can have together.
    pub fn max_tokens(&self) -> usize {
        self.decoder.architecture().sizes.max_positions
    }

    /// Returns how the checkpoint asks for tokens to be chosen.
    pub fn sampling(&self) -> SamplingOptions {
        self.sampling
    }

    /// Returns whether the model was trained for conversations.
    pub fn has_chat_template(&self) -> bool {
        self.chat_template.is_some()
    }

    /// Makes a prompt that is continued. An empty one is the token that texts start with.
    pub fn continued(
        &self,
        text: &str,
        options: &GenerationOptions,
    ) -> Result<Prompt, GenerationError> {
        self.check_length(text, options)?;
        self.prompt(self.tokenizer.ids(text)?)
    }

    /// Makes a prompt that is answered, from a conversation.
    pub fn asked(
        &self,
        messages: &[Message],
        options: &GenerationOptions,
    ) -> Result<Prompt, GenerationError> {
        let no_template = || GenerationError::NoChatTemplate {
            model: self.name.clone(),
        };
        let template = self.chat_template.as_ref().ok_or_else(no_template)?;
        for message in messages {
            self.check_length(&message.content, options)?;
        }
        let text = template.render(messages)?;
        self.prompt(self.tokenizer.ids_without_special(&text)?)
    }

    /// Generates the answers to each prompt, where its length allows. `goes_on` is asked before every token; when it
    /// says no, prompts without all their answers fail.
    pub fn generate(
        &self,
        prompts: &[Prompt],
        options: &GenerationOptions,
        goes_on: impl FnMut() -> bool,
    ) -> Vec<Result<Vec<Answer>, GenerationError>> {
        if let Err(error) = options.check() {
            let problem = error.to_string();
            let fail = |_| Err(GenerationError::Options(problem.clone()));
            return prompts.iter().map(fail).collect();
        }
        let budget = |prompt: &Prompt| options.budget(prompt.ids.len(), self.max_tokens());
        let budgets: Vec<_> = prompts.iter().map(budget).collect();
        let jobs: Vec<Job<'_>> = budgets
            .iter()
            .enumerate()
            .filter_map(|(prompt, budget)| {
                let budget = *budget.as_ref().ok()?;
                let ids = &prompts[prompt].ids;
                Some(Job {
                    prompt,
                    ids,
                    budget,
                })
            })
            .collect();
        let mut found: Vec<Vec<(usize, Finished)>> = vec![Vec::new(); prompts.len()];
        let batch = Batch {
            decoder: &self.decoder,
            tokenizer: &self.tokenizer,
            options,
        };
        let ran = batch.run(&jobs, goes_on, |prompt, answer, finished| {
            found[prompt].push((answer, finished));
        });
        let failure = ran.err();
        let results = prompts.iter().zip(budgets).zip(found);
        results
            .map(|((prompt, budget), mut found)| {
                budget?;
                if found.len() < options.n_answers {
                    return Err(failed(failure.as_ref()));
                }
                found.sort_by_key(|(answer, _)| *answer);
                let answers = found
                    .into_iter()
                    .map(|(_, finished)| self.answer(prompt, finished, options));
                answers.collect()
            })
            .collect()
    }

    fn answer(
        &self,
        prompt: &Prompt,
        finished: Finished,
        options: &GenerationOptions,
    ) -> Result<Answer, GenerationError> {
        let all = [prompt.ids.as_slice(), &finished.ids].concat();
        let (before, all) = (
            self.tokenizer.decode(&prompt.ids)?,
            self.tokenizer.decode(&all)?,
        );
        // A tokenizer may write the first token of a text in another way than those behind.
        let text = match all.strip_prefix(before.as_str()) {
            Some(text) => text.to_owned(),
            None => self.tokenizer.decode(&finished.ids)?,
        };
        let end = first_stop(&text, &options.stop).unwrap_or(text.len());
        Ok(Answer {
            text: clean_up(&text[..end]).trim().to_owned(),
            ids: finished.ids,
            probability: finished.probability,
            end: finished.end,
        })
    }

    fn prompt(&self, ids: Vec<u32>) -> Result<Prompt, GenerationError> {
        if !ids.is_empty() {
            return Ok(Prompt { ids });
        }
        let start = self.decoder.architecture().start;
        let start = start.ok_or(GenerationError::NoStart)?;
        Ok(Prompt { ids: vec![start] })
    }

    /// Refuses a text that is too long whatever its tokens are.
    fn check_length(&self, text: &str, options: &GenerationOptions) -> Result<(), GenerationError> {
        let limit = self.max_tokens().min(options.max_prompt_tokens);
        let n_tokens = text.len() / (4 * MAX_CHARS_PER_TOKEN);
        if n_tokens <= limit {
            return Ok(());
        }
        options.budget(n_tokens, self.max_tokens()).map(drop)
    }
}

impl Prompt {
    /// Creates a prompt of known tokens, of which there is at least one.
    pub fn from_ids(ids: Vec<u32>) -> Option<Self> {
        (!ids.is_empty()).then_some(Self { ids })
    }

    /// Returns its tokens.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }
}

/// Returns the same error once more, for another prompt.
fn failed(error: Option<&GenerationError>) -> GenerationError {
    match error {
        Some(GenerationError::Diverged) => GenerationError::Diverged,
        Some(GenerationError::UnknownToken { id, n_tokens }) => GenerationError::UnknownToken {
            id: *id,
            n_tokens: *n_tokens,
        },
        _ => GenerationError::Stopped,
    }
}

/// Returns the special tokens by their names; a token is a text, or an object with its `content`.
fn named_tokens(config: &Fields) -> Vec<(String, String)> {
    let token = |name: &str| {
        let value = config.get(name)?;
        let text = value.as_str().or_else(|| value.get("content")?.as_str())?;
        Some((name.to_owned(), text.to_owned()))
    };
    NAMED_TOKENS.iter().filter_map(|name| token(name)).collect()
}

/// Returns the chat template: that of its own file, else that of the tokenizer's config, where it may be one of several.
fn template(files: &ModelFiles, config: &Fields) -> Result<Option<String>, GenerationError> {
    if let Some(path) = &files.chat_template {
        return read(path).map(Some);
    }
    let named = |entry: &Value, name: &str| {
        let is_named = entry.get("name").and_then(Value::as_str) == Some(name);
        let template = entry.get("template").and_then(Value::as_str);
        template.filter(|_| is_named).map(str::to_owned)
    };
    Ok(match config.get("chat_template") {
        Some(Value::String(template)) => Some(template.clone()),
        Some(Value::Array(templates)) => templates.iter().find_map(|entry| named(entry, "default")),
        _ => None,
    })
}

fn read(path: &Path) -> Result<String, GenerationError> {
    fs::read_to_string(path).map_err(|source| GenerationError::Io {
        path: path.to_owned(),
        source,
    })
}

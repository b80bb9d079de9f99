//! The model: from tasks to answers.

use std::sync::{Mutex, PoisonError};

use label_studio_inference::hub::Hub;
use label_studio_ml::{
    Action, AnnotatedEntry, Event, LabelConfig, Model, PredictRequest, Prediction, Predictions,
    Project, TaskPrediction, Value,
    anyhow::{self, Context},
    json,
};
use label_studio_services::{Deadline, prompt_lines, typed_prompt};
use label_studio_text::generation::{
    Answer, AnswerEnd, GenerationError, GenerationOptions, LanguageModel, Message, Prompt,
};

use crate::{ChatTemplate, Options, question::Question, tags::Tags};

const VERSION: &str = "HuggingFaceLLM-v0.0.1";

/// Continues texts, or answers prompts, with a language model that runs on this machine.
#[derive(Debug)]
pub struct HuggingFaceLLM {
    options: Options,
    default_prompt: Option<String>,
    model: LanguageModel,
    is_chat: bool,
    /// Held while answers are generated: two calls at once would only wait for each other's cores.
    generating: Mutex<()>,
}

impl HuggingFaceLLM {
    /// Reads the model, and fetches its files where they are missing.
    pub fn load(options: Options, hub: &Hub) -> anyhow::Result<Self> {
        let named = "cannot use the model that MODEL_NAME names";
        let model = LanguageModel::load(&options.model_name, hub).context(named)?;
        let is_chat = match options.chat_template {
            ChatTemplate::Auto => model.has_chat_template(),
            ChatTemplate::Off => false,
            ChatTemplate::On if model.has_chat_template() => true,
            ChatTemplate::On => {
                let model = options.model_name.clone();
                let error = GenerationError::NoChatTemplate { model };
                return Err(anyhow::Error::new(error).context("CHAT_TEMPLATE=on"));
            }
        };
        options.generation(model.sampling(), is_chat).check()?;
        tracing::info!(
            model = options.model_name,
            is_chat,
            max_tokens = model.max_tokens(),
            "model loaded"
        );
        Ok(Self {
            default_prompt: options.template.default_prompt()?,
            options,
            model,
            is_chat,
            generating: Mutex::default(),
        })
    }

    fn tags<'a>(&self, label_config: &'a LabelConfig) -> anyhow::Result<Tags<'a>> {
        Tags::find(label_config, &self.options.template.prompt.prompt_prefix)
    }

    /// Returns the tokens that the model goes on from.
    fn prompt(&self, text: String, options: &GenerationOptions) -> anyhow::Result<Prompt> {
        if !self.is_chat {
            return Ok(self.model.continued(&text, options)?);
        }
        let system = self.options.system_prompt.as_ref();
        let system = system.filter(|prompt| !prompt.trim().is_empty());
        let mut messages: Vec<_> = system.map(Message::system).into_iter().collect();
        messages.push(Message::user(text));
        Ok(self.model.asked(&messages, options)?)
    }

    /// Generates the answers to all prompts that there are, in their places.
    fn generate(
        &self,
        prompts: &[anyhow::Result<Prompt>],
        options: &GenerationOptions,
        deadline: Deadline,
    ) -> Vec<Result<Vec<Answer>, GenerationError>> {
        let prompts: Vec<Prompt> = prompts.iter().flatten().cloned().collect();
        let _generating = self
            .generating
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let answers = self
            .model
            .generate(&prompts, options, || !deadline.is_over());
        let n_prompt_tokens: usize = prompts.iter().map(|prompt| prompt.ids().len()).sum();
        let all = || answers.iter().flatten().flatten();
        let n_answer_tokens: usize = all().map(|answer| answer.ids.len()).sum();
        let n_cut = all()
            .filter(|answer| answer.end == AnswerEnd::Length)
            .count();
        tracing::info!(
            n_prompts = prompts.len(),
            n_prompt_tokens,
            n_answers = all().count(),
            n_answer_tokens,
            n_cut,
            "answers generated"
        );
        answers
    }
}

impl Model for HuggingFaceLLM {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        Ok(project.set_initial_model_version(VERSION)?)
    }

    fn check(&self, label_config: &LabelConfig) -> anyhow::Result<()> {
        self.tags(label_config).map(drop)
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let deadline = Deadline::predict();
        let tags = self.tags(project.label_config())?;
        let default = self.default_prompt.as_deref();
        let lines = match tags.prompt {
            Some(control) => {
                let typed = request.is_interactive().then(|| request.context_regions());
                let lines = prompt_lines(&control.name, typed, default, |key| project.get(key))?;
                let Some(lines) = lines else {
                    return Ok(Predictions::default());
                };
                Some(lines)
            }
            None => default.map(|prompt| vec![prompt.to_owned()]),
        };
        let prompt = lines.as_ref().map(|lines| lines.join("\n"));
        let question = Question {
            args: &self.options.template,
            tags,
            prompt: prompt.as_deref(),
        };
        let is_asked = self.is_chat || prompt.is_some();
        let options = self.options.generation(self.model.sampling(), is_asked);
        let prompts: Vec<anyhow::Result<Prompt>> = request
            .tasks
            .iter()
            .map(|task| self.prompt(question.text(project, task)?, &options))
            .collect();
        let mut answers = self.generate(&prompts, &options, deadline).into_iter();
        let shown = tags.prompt.zip(lines.as_ref());
        let predict = |prompt: anyhow::Result<Prompt>| {
            prompt?;
            let answers = answers.next().context("the prompt has no answer")??;
            let texts: Vec<&str> = answers.iter().map(|answer| answer.text.as_str()).collect();
            let answer = tags.answer.region(json!({ "text": texts }));
            let regions = match shown {
                Some((control, lines)) => {
                    let prompt = control.region(json!({ "text": lines }));
                    vec![answer.with_new_id(), prompt.with_new_id()]
                }
                None => vec![answer],
            };
            Ok(Prediction::new(regions).with_score(score(&answers)))
        };
        Ok(prompts
            .into_iter()
            .map(predict)
            .map(TaskPrediction::from)
            .collect())
    }

    fn fit(&self, project: &Project, event: &Event) -> anyhow::Result<Value> {
        let is_annotation = matches!(
            event.action,
            Action::AnnotationCreated | Action::AnnotationUpdated
        );
        if !is_annotation {
            return Ok(Value::Null);
        }
        for AnnotatedEntry { project, regions } in project.annotated_entries(event)? {
            let Some(control) = self.tags(project.label_config())?.prompt else {
                continue;
            };
            let key = &control.name;
            let Some(prompt) = typed_prompt(&regions, key) else {
                continue;
            };
            if project.get(key)?.as_deref() != Some(&prompt) {
                project.set(key, &prompt)?;
                // Predictions with another prompt are told apart by their version.
                project.bump_model_version()?;
            }
        }
        Ok(Value::Null)
    }
}

/// Returns the mean probability of the tokens of all answers to a prompt.
fn score(answers: &[Answer]) -> f64 {
    let sum: f64 = answers.iter().map(|answer| answer.probability).sum();
    #[expect(clippy::cast_precision_loss, reason = "answers are few")]
    let n_answers = answers.len().max(1) as f64;
    sum / n_answers
}

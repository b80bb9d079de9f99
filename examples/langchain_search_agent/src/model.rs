//! The model: from a prompt to an answer, a class and search results.

use std::{borrow::Cow, sync::Arc};

use label_studio_ml::{
    Action, AnnotatedEntry, Event, LabelConfig, Model, PredictRequest, Prediction, Predictions,
    Project, Region, Task, TaskPrediction, Value,
    anyhow::{self, Context, anyhow},
    match_labels,
    sdk::{
        http::NetworkOptions,
        python::{self, fill_template},
    },
};
use label_studio_services::{
    ChatArgs, ChatClient, ChatEndpoint, Deadline, ServiceClient, map_parallel, prompt_lines,
    shown_value, typed_prompt,
};

use crate::{
    Agent, Answered, Limits, ModelArgs, Options, Search, SearchEngine, outputs::Outputs, structured,
};

const MODEL_VERSION: &str = "LangchainSearchAgent-v0.0.1";

/// Answers prompts with a chat model that may search the web, and classifies the answers.
#[derive(Debug)]
pub struct LangchainSearchAgent {
    agent: Result<Agent, String>,
    default_prompt: Option<String>,
    options: Options,
}

/// The parts of a question that all tasks of a request share.
struct Asking<'a> {
    outputs: &'a Outputs<'a>,
    prompt: &'a str,
    prompt_region: &'a Region,
    deadline: Deadline,
}

impl LangchainSearchAgent {
    /// Creates the model. Without a key for the chat model it says so when it is asked.
    pub fn new(options: Options, network: NetworkOptions) -> anyhow::Result<Self> {
        let client = ServiceClient::new(options.service.options(network))?;
        let engine = SearchEngine::from_args(&options.search);
        if engine.is_none() {
            tracing::error!(
                "the model cannot search: set GOOGLE_API_KEY and GOOGLE_CSE_ID, or SEARXNG_URL"
            );
        }
        let search = engine.map(|engine| Search::new(client.clone(), engine));
        let chat = &options.model.chat;
        let agent = endpoint(&options.model).map(|endpoint| {
            let budget = Arc::new(options.budget.budget());
            let client = ChatClient::new(client, endpoint).with_budget(budget);
            let name = chat.model().unwrap_or(ChatArgs::OPENAI_MODEL);
            Agent::new(client, name, chat.temperature, search)
        });
        let agent = agent.map_err(|error| format!("{error:#}"));
        if let Err(error) = &agent {
            tracing::error!("the chat model cannot be asked: {error}");
        }
        Ok(Self {
            agent,
            default_prompt: options.controls.prompt.default_prompt()?,
            options,
        })
    }

    fn predict_task(
        &self,
        project: &Project,
        asking: &Asking<'_>,
        task: &Task,
    ) -> anyhow::Result<Prediction> {
        let outputs = asking.outputs;
        let agent = self.agent.as_ref().map_err(|error| anyhow!("{error}"))?;
        let text = text(project, outputs, task)?;
        let question =
            fill_template(
                &self.options.controls.prompt.prompt_template,
                |name| match name {
                    "prompt" => Some(Cow::from(asking.prompt)),
                    "text" => Some(Cow::from(&*text)),
                    _ => None,
                },
            );
        let limits = Limits {
            max_steps: self.options.agent.max_steps.get(),
            deadline: asking.deadline.at_most(self.options.agent.task_timeout),
        };
        let labels = &outputs.choices().labels;
        if self.options.agent.structured_output && !labels.is_empty() {
            let format = structured::response_format(labels);
            let answered = agent.ask(&question, Some(&format), limits)?;
            let read = structured::read(&answered.text)?;
            let answered = Answered {
                text: read.answer,
                ..answered
            };
            let label = match_labels(&read.classification, labels);
            let regions = outputs.regions(asking.prompt_region, &answered, &label);
            return Ok(Prediction::new(regions));
        }
        let answered = agent.ask(&question, None, limits)?;
        let matched = match_labels(&answered.text, labels);
        let regions = outputs.regions(asking.prompt_region, &answered, &matched);
        Ok(Prediction::new(regions))
    }
}

impl Model for LangchainSearchAgent {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        Ok(project.set_initial_model_version(MODEL_VERSION)?)
    }

    fn check(&self, label_config: &LabelConfig) -> anyhow::Result<()> {
        Outputs::find(label_config, &self.options.controls).map(drop)
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let deadline = self.options.service.deadline();
        let outputs = Outputs::find(project.label_config(), &self.options.controls)?;
        let typed = request.is_interactive().then(|| request.context_regions());
        let default = self.default_prompt.as_deref();
        let control = &outputs.prompt.control.name;
        let lines = prompt_lines(control, typed, default, |key| project.get(key))?;
        let prompt = lines.unwrap_or_default().join("\n");
        if prompt.is_empty() {
            return Ok(Predictions::default());
        }
        let asking = Asking {
            outputs: &outputs,
            prompt: &prompt,
            prompt_region: &outputs.prompt_region(&prompt),
            deadline,
        };
        let predict = |task: &Task| match self.predict_task(project, &asking, task) {
            Ok(prediction) => TaskPrediction::Unscored(prediction),
            Err(error) => TaskPrediction::Failed(format!("{error:#}")),
        };
        let n_threads = self.options.service.parallelism;
        Ok(map_parallel(&request.tasks, n_threads, predict)
            .into_iter()
            .collect())
    }

    fn fit(&self, project: &Project, event: &Event) -> anyhow::Result<Value> {
        if !matches!(
            event.action,
            Action::AnnotationCreated | Action::AnnotationUpdated
        ) {
            return Ok(Value::Null);
        }
        for AnnotatedEntry { project, regions } in project.annotated_entries(event)? {
            let outputs = Outputs::find(project.label_config(), &self.options.controls)?;
            let key = &outputs.prompt.control.name;
            if let Some(prompt) = typed_prompt(&regions, key) {
                project.set(key, &prompt)?;
            }
        }
        Ok(Value::Null)
    }
}

fn endpoint(args: &ModelArgs) -> anyhow::Result<ChatEndpoint> {
    let key = args.chat.key();
    let endpoint = match args.base_url() {
        Some(base_url) => ChatEndpoint::compatible(base_url, key),
        None => ChatEndpoint::openai(key.context("OPENAI_API_KEY is not set")?),
    };
    Ok(endpoint?)
}

/// Returns the text of a task, fetched when the task holds its address.
fn text(project: &Project, outputs: &Outputs<'_>, task: &Task) -> anyhow::Result<String> {
    let name = &outputs.object().value_name;
    let value = shown_value(task, outputs.object())?;
    let mut only = Task::new([(name.clone(), value.clone())].into_iter().collect());
    only.id = task.id;
    let loaded = project.preload_task_data(&only)?;
    Ok(loaded
        .get(name)
        .map(|value| python::str(value).into_owned())
        .unwrap_or_default())
}

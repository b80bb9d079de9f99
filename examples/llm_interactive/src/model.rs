//! The model: from a prompt and tasks to predictions.

use std::sync::{Arc, OnceLock};

use label_studio_ml::{
    Action, AnnotatedEntry, Event, LabelConfig, Model, PredictRequest, Prediction, Predictions,
    Project, Task, TaskPrediction, Value,
    anyhow::{self, Context, bail},
    sdk::http::NetworkOptions,
};
use label_studio_services::{
    Budget, ChatClient, ChatError, ResponseCache, ServiceClient, map_parallel, prompt_lines,
    prompt_pair, typed_prompt,
};
use label_studio_vision::llm::LlmImages;

use crate::{
    Options, StructuredOutput, answer,
    outputs::{OBJECTS, Outputs},
    prompt_versions,
    question::Question,
    structured,
};

/// Score of every prediction: chat models return none.
const SCORE: f64 = 0.1;
const MIB: usize = 1 << 20;
const CUT: &str =
    "the answer was cut off by the limit of tokens or of time, so its JSON is not complete";
const NO_JSON: &str = "the model did not answer with the JSON object that it was asked for; \
                       set STRUCTURED_OUTPUT=off, or ask a model that knows JSON";

/// Asks a chat model what the annotator asks, and puts its answers where the label config has room for them.
#[derive(Debug)]
pub struct OpenAIInteractive {
    options: Options,
    default_prompt: Option<String>,
    client: ServiceClient,
    budget: Arc<Budget>,
    cache: Arc<ResponseCache>,
    images: LlmImages,
}

impl OpenAIInteractive {
    /// Reads the default prompt and sets up the client. Nothing is asked yet.
    pub fn new(options: Options, network: NetworkOptions) -> anyhow::Result<Self> {
        if let Err(error) = options.provider.endpoint() {
            tracing::warn!(
                "only projects whose extra params name a provider get answers: {error:#}"
            );
        }
        Ok(Self {
            client: ServiceClient::new(options.service.options(network))?,
            budget: Arc::new(options.limits.budget.budget()),
            cache: Arc::new(ResponseCache::new(
                options.limits.response_cache_mb.saturating_mul(MIB),
            )),
            default_prompt: options.prompt.template.default_prompt()?,
            images: options.media.images.images(),
            options,
        })
    }

    fn predict_task(
        &self,
        project: &Project,
        chat: &ChatClient,
        question: &Question<'_>,
        task: &Task,
    ) -> anyhow::Result<Prediction> {
        if question.deadline.is_over() {
            bail!("no time was left for the task");
        }
        let body = question.body(project, task)?;
        let reply = chat.ask(&body, question.deadline)?;
        let texts = reply.texts();
        let outputs = question.outputs;
        let mut regions = if self.is_structured() {
            let objects = texts.iter().map(|text| structured::read(text));
            let objects = objects.collect::<anyhow::Result<Vec<_>>>();
            let objects = objects.with_context(|| if reply.is_cut() { CUT } else { NO_JSON })?;
            answer::from_objects(outputs, task, &objects)
        } else {
            answer::from_texts(outputs, task, &texts)
        };
        if reply.is_cut() {
            tracing::warn!(
                task = task.id,
                "the answer was cut off by the limit of tokens or of time"
            );
            answer::mark_as_cut(&mut regions);
        }
        Ok(Prediction::new(regions).with_score(SCORE))
    }

    fn is_structured(&self) -> bool {
        self.options.prompt.structured_output != StructuredOutput::Off
    }
}

impl Model for OpenAIInteractive {
    fn check(&self, label_config: &LabelConfig) -> anyhow::Result<()> {
        let prefix = &self.options.prompt.template.prompt.prompt_prefix;
        let prompt = prompt_pair(label_config, prefix, &OBJECTS).with_context(|| {
            format!("no <TextArea> whose name starts with {prefix:?} to type a prompt into")
        })?;
        Outputs::find(label_config, prompt, self.is_structured()).map(drop)
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let deadline = self.options.service.deadline();
        let label_config = project.label_config();
        let pair = prompt_pair(
            label_config,
            &self.options.prompt.template.prompt.prompt_prefix,
            &OBJECTS,
        )?;
        let typed = request.is_interactive().then(|| request.context_regions());
        let default = self.default_prompt.as_deref();
        let control = &pair.control.name;
        let lines = prompt_lines(control, typed, default, |key| project.get(key))?;
        let Some(lines) = lines else {
            return Ok(Predictions::default());
        };
        let outputs = Outputs::find(label_config, pair, self.is_structured())?;
        let provider = self.options.provider.of_project(&project.extra_params()?)?;
        // An interactive request that repeats a question wants another answer, which temperature 0 cannot give.
        let wants_another = request.is_interactive() && provider.chat.temperature > 0.0;
        let chat = ChatClient::new(self.client.clone(), provider.endpoint()?)
            .with_budget(Arc::clone(&self.budget))
            .with_cache((!wants_another).then(|| Arc::clone(&self.cache)))
            .with_streaming(self.options.limits.stream);
        let question = Question {
            options: &self.options,
            images: &self.images,
            provider: &provider,
            model: provider.model()?,
            outputs: &outputs,
            prompt: &lines.join("\n"),
            deadline,
        };
        let prompt_region = outputs.prompt_region(&lines);
        let hopeless = OnceLock::new();
        let tasks = map_parallel(&request.tasks, self.options.service.parallelism, |task| {
            if let Some(detail) = hopeless.get() {
                return TaskPrediction::Failed(String::clone(detail));
            }
            match self.predict_task(project, &chat, &question, task) {
                Ok(mut prediction) => {
                    prediction
                        .result
                        .push(prompt_region.clone().with_new_id().into());
                    prediction.into()
                }
                Err(error) => {
                    let detail = format!("{error:#}");
                    if concerns_all_tasks(&error) {
                        hopeless.get_or_init(|| detail.clone());
                    }
                    TaskPrediction::Failed(detail)
                }
            }
        });
        let used = self.budget.used();
        tracing::info!(
            n_tasks = tasks.len(),
            input_tokens = used.input_tokens,
            output_tokens = used.output_tokens,
            cost = self.budget.cost(),
            "tasks answered; tokens and cost are those since the start"
        );
        check(&tasks, deadline.is_over())?;
        Ok(Predictions { tasks })
    }

    fn fit(&self, project: &Project, event: &Event) -> anyhow::Result<Value> {
        if !matches!(
            event.action,
            Action::AnnotationCreated | Action::AnnotationUpdated
        ) {
            return Ok(Value::Null);
        }
        let prefix = &self.options.prompt.template.prompt.prompt_prefix;
        let in_use = self.default_prompt.as_deref();
        for AnnotatedEntry { project, regions } in project.annotated_entries(event)? {
            let prompt = prompt_pair(project.label_config(), prefix, &OBJECTS)?.control;
            let Some(text) = typed_prompt(&regions, &prompt.name) else {
                tracing::debug!("the annotation holds no prompt");
                continue;
            };
            if prompt_versions::remember(&project, &prompt.name, &text, in_use)? {
                tracing::info!(project = %project.id(), version = project.model_version()?, "prompt stored");
            }
        }
        Ok(Value::Null)
    }
}

/// Returns whether asking about the other tasks would fail as well.
fn concerns_all_tasks(error: &anyhow::Error) -> bool {
    match error.downcast_ref() {
        Some(ChatError::Budget(_)) => true,
        Some(ChatError::Service(error)) => matches!(error.status(), Some(401 | 404)),
        _ => false,
    }
}

/// Says how many tasks failed; fails when none of several has an answer.
fn check(tasks: &[TaskPrediction], is_late: bool) -> anyhow::Result<()> {
    let failures = || {
        tasks.iter().filter_map(|task| match task {
            TaskPrediction::Failed(detail) => Some(detail),
            TaskPrediction::One(_) | TaskPrediction::Unscored(_) | TaskPrediction::Several(_) => {
                None
            }
        })
    };
    let (n_failed, n_tasks) = (failures().count(), tasks.len());
    match failures().next() {
        Some(detail) if n_failed == n_tasks && n_tasks > 1 => {
            bail!("none of {n_tasks} tasks could be predicted; the first: {detail}")
        }
        Some(_) if is_late => tracing::warn!(
            n_failed,
            n_tasks,
            "time ran out; the tasks without a prediction are predicted when they are asked for again: raise \
             PARALLELISM, or select fewer tasks at once"
        ),
        _ => {}
    }
    Ok(())
}

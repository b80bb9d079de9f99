//! The model: from a prompt to choices and a response.

use label_studio_ml::{
    Action, AnnotatedEntry, CustomReply, CustomRequest, Event, LabelConfig, Model, PredictRequest,
    Prediction, Predictions, Project, Region, Task, TaskPrediction, Value,
    anyhow::{self, Context, anyhow},
    json, match_labels,
    sdk::http::NetworkOptions,
};
use label_studio_services::{Deadline, ServiceClient, map_parallel, prompt_lines, typed_prompt};
use label_studio_vision::llm::LlmImages;

use crate::{
    Exporter, Options, Watsonx,
    question::{Asking, Tags},
};

const MODEL_VERSION: &str = "WatsonXModel-v0.0.1";
/// Score of every prediction: the API returns none for a generated text.
const SCORE: f64 = 0.1;

/// Labels by prompt with IBM watsonx.ai, and copies annotations into a table of watsonx.data.
#[derive(Debug)]
pub struct WatsonXModel {
    options: Options,
    watsonx: Result<Watsonx, String>,
    default_prompt: Option<String>,
    exporter: Exporter,
    images: LlmImages,
}

/// The controls of a project, and the lines of its prompt.
struct Prompted<'a> {
    tags: Tags<'a>,
    lines: Vec<String>,
}

impl WatsonXModel {
    /// Creates the model. Without credentials it predicts nothing and says what is missing, but it still exports.
    pub fn new(options: Options, network: NetworkOptions) -> anyhow::Result<Self> {
        let client = ServiceClient::new(options.service.options(network))?;
        let watsonx = Watsonx::new(&options.watsonx, client.clone());
        Ok(Self {
            watsonx: watsonx.map_err(|error| format!("{error:#}")),
            default_prompt: options.prompt.default_prompt()?,
            exporter: Exporter::new(&options, client),
            images: options.images.images(),
            options,
        })
    }

    /// Creates the model and checks that watsonx.ai offers it.
    pub fn load(options: Options, network: NetworkOptions) -> anyhow::Result<Self> {
        let is_checked = options.watsonx.watsonx_check_model;
        let model = Self::new(options, network)?;
        match &model.watsonx {
            Ok(watsonx) if is_checked => watsonx.check_model()?,
            Ok(_) => {}
            Err(error) => tracing::error!("watsonx.ai cannot be asked: {error}"),
        }
        model.exporter.announce();
        Ok(model)
    }

    fn predict_task(
        &self,
        project: &Project,
        Prompted { tags, lines }: &Prompted<'_>,
        task: &Task,
        deadline: Deadline,
    ) -> anyhow::Result<Prediction> {
        let watsonx = self.watsonx.as_ref().map_err(|error| anyhow!("{error}"))?;
        let asking = Asking {
            options: &self.options,
            images: &self.images,
            prompt: &lines.join("\n"),
            endpoint: watsonx.endpoint(),
            deadline,
        };
        let question = tags.question(project, task, &asking)?;
        let answer = watsonx.ask(&question, deadline)?;
        let mut regions: Vec<Region> = Vec::new();
        let on_object = |mut region: Region| {
            region.to_name.clone_from(&tags.object.name);
            region.with_new_id()
        };
        if let Some(choices) = tags.choices {
            let mut labels = match_labels(&answer, &choices.labels);
            if choices.attr("choice") != Some("multiple") {
                labels.truncate(1);
            }
            regions.push(on_object(choices.region(json!({ "choices": labels }))));
        }
        if let Some(response) = tags.response {
            regions.push(on_object(response.region(json!({ "text": [answer] }))));
        }
        regions.push(on_object(tags.prompt.region(json!({ "text": lines }))));
        Ok(Prediction::new(regions).with_score(SCORE))
    }
}

impl Model for WatsonXModel {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        Ok(project.set_initial_model_version(MODEL_VERSION)?)
    }

    fn check(&self, label_config: &LabelConfig) -> anyhow::Result<()> {
        Tags::find(label_config, &self.options.prompt.prompt.prompt_prefix).map(drop)
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let deadline = self.options.service.deadline();
        let tags = Tags::find(
            project.label_config(),
            &self.options.prompt.prompt.prompt_prefix,
        )?;
        let typed = request.is_interactive().then(|| request.context_regions());
        let default = self.default_prompt.as_deref();
        let control = &tags.prompt.name;
        let lines = prompt_lines(control, typed, default, |key| project.get(key))?;
        let Some(lines) = lines else {
            return Ok(Predictions::default());
        };
        let prompted = Prompted { tags, lines };
        let n_threads = self.options.service.parallelism;
        let predict = |task: &Task| {
            TaskPrediction::from(self.predict_task(project, &prompted, task, deadline))
        };
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
        let prefix = &self.options.prompt.prompt.prompt_prefix;
        for AnnotatedEntry { project, regions } in project.annotated_entries(event)? {
            let tags = Tags::find(project.label_config(), prefix)?;
            let key = &tags.prompt.name;
            let Some(prompt) = typed_prompt(&regions, key) else {
                continue;
            };
            if project.get(key)?.as_deref() != Some(&prompt) {
                project.set(key, &prompt)?;
                // Predictions with the earlier prompt are told apart by their version.
                project
                    .bump_model_version()
                    .context("the prompt has no version")?;
            }
        }
        Ok(Value::Null)
    }

    fn custom_routes(&self) -> &[&str] {
        &["/data", "/data/", "/data/health", "/data/upload"]
    }

    fn answer_custom_route(&self, request: &CustomRequest) -> anyhow::Result<CustomReply> {
        self.exporter.answer(request)
    }
}

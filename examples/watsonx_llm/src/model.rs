//! The model: from a prompt to choices and a response.

use label_studio_ml::{
    Action, CustomReply, CustomRequest, Event, Model, PredictRequest, Prediction, Predictions,
    Project, Region, Task, TaskPrediction, Value,
    anyhow::{self, Context, anyhow},
    json, match_labels,
};
use label_studio_services::{Deadline, ServiceClient, map_parallel, text_area_lines};

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
}

impl WatsonXModel {
    /// Creates the model. Without credentials it predicts nothing and says what is missing, but it still exports.
    pub fn new(options: Options) -> anyhow::Result<Self> {
        let client = ServiceClient::new(options.service.options())?;
        let watsonx = Watsonx::new(&options.watsonx, client.clone());
        Ok(Self {
            watsonx: watsonx.map_err(|error| format!("{error:#}")),
            default_prompt: options.prompt.default_prompt()?,
            exporter: Exporter::new(&options, client),
            options,
        })
    }

    /// Creates the model and checks that watsonx.ai offers it.
    pub fn load(options: Options) -> anyhow::Result<Self> {
        let is_checked = options.watsonx.watsonx_check_model;
        let model = Self::new(options)?;
        match &model.watsonx {
            Ok(watsonx) if is_checked => watsonx.check_model()?,
            Ok(_) => {}
            Err(error) => tracing::error!("watsonx.ai cannot be asked: {error}"),
        }
        model.exporter.announce();
        Ok(model)
    }

    /// Returns the prompt as it was typed, in lines: by the annotator just now, or in an earlier annotation.
    fn prompts(
        &self,
        project: &Project,
        request: &PredictRequest,
        tags: &Tags<'_>,
    ) -> anyhow::Result<Option<Vec<String>>> {
        if request.is_interactive() {
            return Ok(text_area_lines(
                request.context_regions(),
                &tags.prompt.name,
            ));
        }
        let stored = project.get(&tags.prompt.name)?;
        let prompt = stored.filter(|prompt| !prompt.is_empty());
        Ok(prompt
            .or_else(|| self.default_prompt.clone())
            .map(|prompt| vec![prompt]))
    }

    fn predict_task(
        &self,
        project: &Project,
        (tags, prompts): (&Tags<'_>, &[String]),
        task: &Task,
        deadline: Deadline,
    ) -> anyhow::Result<Prediction> {
        let watsonx = self.watsonx.as_ref().map_err(|error| anyhow!("{error}"))?;
        let asking = Asking {
            options: &self.options,
            prompt: &prompts.join("\n"),
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
        regions.push(on_object(tags.prompt.region(json!({ "text": prompts }))));
        Ok(Prediction::new(regions).with_score(SCORE))
    }
}

impl Model for WatsonXModel {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        Ok(project.set_initial_model_version(MODEL_VERSION)?)
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let deadline = self.options.service.deadline();
        let tags = Tags::find(
            project.label_config(),
            &self.options.prompt.prompt.prompt_prefix,
        )?;
        let Some(prompts) = self.prompts(project, request, &tags)? else {
            return Ok(Predictions::default());
        };
        let n_threads = self.options.service.parallelism;
        let predict = |task: &Task| {
            TaskPrediction::from(self.predict_task(project, (&tags, &prompts), task, deadline))
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
        let tags = Tags::find(
            project.label_config(),
            &self.options.prompt.prompt.prompt_prefix,
        )?;
        let key = &tags.prompt.name;
        let lines = text_area_lines(event.annotation_regions(), key);
        let Some(prompt) = lines
            .map(|lines| lines.join("\n"))
            .filter(|prompt| !prompt.is_empty())
        else {
            return Ok(Value::Null);
        };
        if project.get(key)?.as_deref() != Some(&prompt) {
            project.set(key, &prompt)?;
            // Label Studio asks for predictions again when the version is another one.
            project
                .bump_model_version()
                .context("the prompt has no version")?;
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

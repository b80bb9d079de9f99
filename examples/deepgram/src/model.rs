//! The model: from a typed text to audio in the task.

use label_studio_ml::{
    Model, PredictRequest, Prediction, Predictions, Project, Region, Task, Value,
    anyhow::{self, Context, anyhow, ensure},
    json,
    sdk::{http::NetworkOptions, with_value_at},
};
use label_studio_services::{
    ServiceClient,
    aws::{Bucket, Object, sha256_hex},
};

use crate::{
    Audio, Options, Speech, secure_file_name,
    typed::{Fields, check_text, user_id},
};

/// Digits of the hash that tell one audio of a task from the next.
const N_HASH_DIGITS: usize = 12;
/// Score of a typed text, which is certain.
const SCORE: f64 = 1.0;
/// Folder of the addresses in the test mode.
const TEST_FOLDER: &str = "tts";

/// Speaks what the annotator types, and puts the audio into the task.
#[derive(Debug)]
pub struct DeepgramModel {
    services: Result<Outside, String>,
    max_text_chars: usize,
    is_test: bool,
    has_hashed_names: bool,
    options: Options,
}

/// Services of the backend.
#[derive(Debug)]
struct Outside {
    speech: Speech,
    bucket: Bucket,
}

impl DeepgramModel {
    /// Creates the model. What is missing is said when it is needed.
    pub fn new(options: Options, network: NetworkOptions) -> anyhow::Result<Self> {
        let client = ServiceClient::new(options.service.options(network))?;
        let is_test = options.is_test();
        let services = if is_test {
            let bucket = Bucket::dry_run(&options.bucket, client, TEST_FOLDER);
            bucket.map_err(Into::into).map(|bucket| Outside {
                speech: Speech::Fake,
                bucket,
            })
        } else {
            outside(&options, client)
        };
        let services = services.map_err(|error| format!("{error:#}"));
        if let Err(error) = &services {
            tracing::error!("nothing can be spoken: {error}");
        }
        Ok(Self {
            services,
            max_text_chars: options.speech.max_text_chars.get(),
            is_test,
            has_hashed_names: options.s3_hashed_names,
            options,
        })
    }

    fn speak(
        &self,
        project: &Project,
        request: &PredictRequest,
        fields: &Fields<'_>,
        text: &str,
    ) -> anyhow::Result<()> {
        let Outside { speech, bucket } =
            self.services.as_ref().map_err(|error| anyhow!("{error}"))?;
        let context = request.context.as_ref().unwrap_or(&Value::Null);
        let task = request.tasks.first().context("the request has no task")?;
        let task_id = task.id.context("the task has no id")?;
        check_text(text, self.max_text_chars)?;
        // Without Label Studio the audio would be paid for and lost.
        let client = if self.is_test {
            None
        } else {
            Some(project.client()?)
        };
        let user = secure_file_name(&user_id(context, client)?);
        ensure!(
            !user.is_empty(),
            "user_id of the interactive context has no letter or digit"
        );
        let deadline = self.options.service.deadline();
        let audio = speech.speak(text, deadline)?;
        let file_name = self.file_name(task_id, &user, &audio);
        let object = Object {
            name: &file_name,
            bytes: &audio.bytes,
            content_type: &audio.content_type,
        };
        let url = bucket.put(&object, deadline)?;
        tracing::info!(task = task_id, file_name, "audio stored");
        let Some(client) = client else {
            return Ok(());
        };
        let data = merged(task, fields, text, &url);
        client.set_task_data(task_id, &data).with_context(|| {
            format!("the audio is at {url}, but task {task_id} could not be updated; submit the text again")
        })
    }

    fn file_name(&self, task_id: i64, user: &str, audio: &Audio) -> String {
        let extension = audio.extension;
        if !self.has_hashed_names {
            return format!("{task_id}_{user}.{extension}");
        }
        let mut hash = sha256_hex(&audio.bytes);
        hash.truncate(N_HASH_DIGITS);
        format!("{task_id}_{user}_{hash}.{extension}")
    }
}

impl Model for DeepgramModel {
    fn manifest(&self) -> Option<&str> {
        Some(label_studio_ml::manifest!())
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let regions = request.context_regions();
        if regions.is_empty() {
            return Ok(Predictions::default());
        }
        let fields = Fields::find(project.label_config());
        let Some(text) = fields.typed(regions) else {
            return Ok(Predictions::default());
        };
        self.speak(project, request, &fields, text)?;
        let Some(control) = fields.control else {
            return Ok(Predictions::default());
        };
        let region = control.region(json!({ "text": [text] })).with_new_id();
        let spoken = Prediction::new([region]).with_score(SCORE);
        let others = request
            .tasks
            .iter()
            .skip(1)
            .map(|_| Prediction::new([] as [Region; 0]));
        Ok(std::iter::once(spoken).chain(others).collect())
    }
}

fn outside(options: &Options, client: ServiceClient) -> anyhow::Result<Outside> {
    Ok(Outside {
        speech: Speech::deepgram(&options.speech, client.clone())?,
        bucket: Bucket::new(&options.bucket, client)?,
    })
}

/// Returns the task's data with text and audio in it; everything else stays.
fn merged(
    task: &Task,
    fields: &Fields<'_>,
    text: &str,
    url: &str,
) -> label_studio_ml::Map<String, Value> {
    let data = with_value_at(task.data.clone(), fields.text, text.into());
    with_value_at(data, fields.audio, url.into())
}

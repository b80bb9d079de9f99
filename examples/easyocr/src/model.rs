//! The `Model` of the backend.

use std::{collections::HashSet, fs, path::Path};

use label_studio_ml::{
    LabelConfig, Model, PredictRequest, Prediction, Predictions, Project, Task, TaskPrediction,
    anyhow::{self, Context},
};
use label_studio_services::aws::PresignedUrls;
use label_studio_vision::{
    Vision,
    batches::{ImageBatches, ImagesOfTasks},
    images::with_item_index,
    models::text_detection::CraftOptions,
};

use crate::{
    Crops, Decoder, Decoding, Detector, EasyOcrArgs, Languages, Output, OutputArgs, PageReader,
    Recogniser, RecogniserOptions,
};

/// Version that the original gives its predictions.
const VERSION: &str = "EasyOCR-v0.0.1";

/// Finds and reads lines of text.
pub struct EasyOcr {
    reader: PageReader,
    batches: ImageBatches,
    addresses: PresignedUrls,
    output: OutputArgs,
}

impl EasyOcr {
    /// Loads the detector and the recogniser of the languages.
    pub fn load(args: EasyOcrArgs, vision: Vision) -> anyhow::Result<Self> {
        let choice = Languages::default().choose(&args.decoding.lang_list)?;
        tracing::info!(recogniser = choice.name, "languages chosen");
        args.output.warn_of_unused();
        let Vision {
            runtime,
            hub,
            reader,
        } = vision;
        let decoding = Decoding {
            decoder: if choice.is_greedy() {
                Decoder::Greedy
            } else {
                args.decoding.decoder
            },
            beam_width: args.decoding.beam_width,
            dictionary: dictionary(args.decoding.dictionary_file.as_deref())?,
            is_allowed: choice.is_allowed(&args.decoding.allowlist, &args.decoding.blocklist),
        };
        let mut detector = Detector::load(&runtime, &args.weights.detector(&hub, &choice.name)?)?;
        detector.options = CraftOptions {
            text_threshold: args.detection.text_threshold,
            link_threshold: args.detection.link_threshold,
            low_text: args.detection.low_text,
        };
        detector.canvas_size = args.detection.canvas_size;
        detector.mag_ratio = args.detection.mag_ratio;
        let recogniser = Recogniser::load(
            &runtime,
            &args.weights.recogniser(&hub, &choice.name)?,
            &choice,
            RecogniserOptions {
                decoding,
                batch_size: args.decoding.batch_size,
            },
        )?;
        Ok(Self {
            reader: PageReader {
                detector,
                grouping: args.detection.grouping(),
                crops: Crops::default(),
                recogniser,
                contrast_threshold: args.decoding.contrast_ths,
                target_contrast: args.decoding.adjust_contrast,
                rotations: args.decoding.rotation_info,
            },
            // A page is as much as a detector takes at a time.
            batches: ImageBatches {
                reader,
                batch_size: 1,
            },
            addresses: PresignedUrls::new(&args.s3)?,
            output: args.output,
        })
    }

    fn tags<'a>(&self, config: &'a LabelConfig) -> anyhow::Result<Output<'a>> {
        Output::find(config, self.output.shape)
    }
}

impl Model for EasyOcr {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        Ok(project.set_initial_model_version(VERSION)?)
    }

    fn manifest(&self) -> Option<&str> {
        Some(label_studio_ml::manifest!())
    }

    fn check(&self, config: &LabelConfig) -> anyhow::Result<()> {
        self.tags(config).map(drop)
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let tags = self.tags(project.label_config())?;
        let local_path = |task: &Task, url: &str| {
            let url = self.addresses.of(url)?;
            Ok(project.local_path(task, &url)?)
        };
        let images = ImagesOfTasks {
            object: tags.object,
            tasks: &request.tasks,
            local_path: &local_path,
        };
        let found = self
            .batches
            .predict(&[&self.reader], images, |image, pages| {
                let lines = pages.iter().flatten();
                let lines = lines.filter(|line| line.score >= self.output.score_threshold);
                let regions = lines.flat_map(|line| tags.regions(line, image.size));
                Ok(with_item_index(regions.collect(), image.item_idx))
            });
        let predictions = found.into_iter().map(|regions| {
            TaskPrediction::from(
                regions.map(|regions| Prediction::new(regions.concat()).with_mean_score()),
            )
        });
        Ok(predictions.collect())
    }

    fn name(&self) -> &'static str {
        "EasyOCR"
    }
}

fn dictionary(path: Option<&Path>) -> anyhow::Result<HashSet<String>> {
    let Some(path) = path.filter(|path| !path.as_os_str().is_empty()) else {
        return Ok(HashSet::new());
    };
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read DICTIONARY_FILE {}", path.display()))?;
    let words = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    Ok(words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect())
}

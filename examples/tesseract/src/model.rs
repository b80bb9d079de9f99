//! The `Model` of the backend.

use std::num::NonZeroUsize;

use label_studio_ml::{
    LabelConfig, Model, PredictRequest, Prediction, Predictions, Project, Region, Task,
    TaskPrediction,
    anyhow::{self, Context},
    json,
    raw::RawError,
    sdk::{LabelConfigError, Pair, ResultEntry},
};
use label_studio_services::{Deadline, aws::PresignedUrls, map_parallel};
use label_studio_vision::images::{ImageReader, RgbImage, task_images, with_item_index};

use crate::{
    Drawn, PageArgs, PageUnit, Pnm, Reading, Settings, Tesseract, TesseractArgs, page::PageTags,
};

/// Version that the original gives its predictions.
const VERSION: &str = "BBOXOCR-v0.0.1";

/// Reads the text in the region just drawn, or on whole pages.
#[derive(Debug)]
pub struct TesseractOcr {
    tesseract: Tesseract,
    /// For drawn regions.
    settings: Settings,
    pages: PageArgs,
    gives_empty_text: bool,
    n_jobs: NonZeroUsize,
    reader: ImageReader,
    addresses: PresignedUrls,
}

impl TesseractOcr {
    /// Finds the program and checks the flags.
    pub fn load(args: TesseractArgs) -> anyhow::Result<Self> {
        let tesseract = Tesseract::find(&args)?;
        let named = args.tesseract_lang.as_deref();
        let languages = match named.filter(|text| !text.trim().is_empty()) {
            Some(text) => tesseract
                .languages()
                .select(text)
                .context("TESSERACT_LANG")?,
            None => tesseract.languages().defaults()?,
        };
        tracing::info!(
            languages,
            installed = tesseract.languages().codes.join(", "),
            "tesseract is installed"
        );
        Ok(Self {
            settings: Settings {
                languages,
                page_segmentation: args.tesseract_psm,
            },
            gives_empty_text: args.empty_text,
            n_jobs: args.n_jobs(),
            reader: args.images.reader(),
            addresses: PresignedUrls::new(&args.s3())?,
            tesseract,
            pages: args.pages,
        })
    }

    /// Reads the drawn region on the image of each task.
    fn read_drawn(
        &self,
        project: &Project,
        request: &PredictRequest,
    ) -> anyhow::Result<Predictions> {
        let context = request.context_regions();
        let text_area = text_area(project.label_config(), None)?;
        if context.is_empty() {
            return Ok(Predictions::default());
        }
        let Some(drawn) = Drawn::newest(context).map_err(bad_request)? else {
            tracing::info!("every rectangle, polygon and ellipse has a text already");
            return Ok(request
                .tasks
                .iter()
                .map(|_| Prediction::default())
                .collect());
        };
        let text_area = text_area_of(project, &drawn).unwrap_or(text_area);
        let settings = self
            .settings
            .of(text_area.control, self.tesseract.languages())
            .map_err(bad_request)?;
        let deadline = Deadline::predict();
        Ok(self.each_task(&request.tasks, |task| {
            let images = task_images(text_area.object, task)?;
            let is_list = images.first().is_some_and(|image| image.item.is_some());
            let idx = drawn.item_index().filter(|_| is_list).unwrap_or(0);
            let image = images.get(idx).with_context(|| {
                let n_images = images.len();
                format!("the region is on image {idx} of the task, which has {n_images}")
            })?;
            let cut = |image: &RgbImage| {
                let part = drawn.outline.cut(image);
                (image.dimensions(), part.as_ref().map(Pnm::new))
            };
            let (size, part) = self.open(project, task, image.url, cut)?;
            let reading = match part {
                Some(part) => self.tesseract.read(part, &settings, deadline)?,
                None => Reading::default(),
            };
            if reading.text.is_empty() && !self.gives_empty_text {
                return Ok(Prediction::default().with_score(0.0));
            }
            let text = text_region(text_area, &drawn, &reading.text, size);
            let drawn = drawn.entries.iter().map(|&entry| entry.clone().into());
            let entries: Vec<ResultEntry> = [text.into()].into_iter().chain(drawn).collect();
            Ok(Prediction::new(entries).with_score(reading.score()))
        }))
    }

    /// Reads the whole image of each task.
    fn read_pages(
        &self,
        project: &Project,
        request: &PredictRequest,
    ) -> anyhow::Result<Predictions> {
        let config = project.label_config();
        let text_area = text_area(config, None)?;
        if self.pages.read_pages == PageUnit::Off {
            return Ok(Predictions::default());
        }
        let tags = PageTags::new(config, text_area)?;
        let settings = Settings {
            page_segmentation: self.pages.tesseract_page_psm,
            ..self
                .settings
                .of(text_area.control, self.tesseract.languages())?
        };
        let deadline = Deadline::predict();
        Ok(self.each_task(&request.tasks, |task| {
            let mut regions: Vec<Region> = Vec::new();
            for image in task_images(text_area.object, task)? {
                let page = self.open(project, task, image.url, Pnm::new)?;
                let size = page.size;
                let reading = self.tesseract.read(page, &settings, deadline)?;
                let PageArgs {
                    read_pages,
                    score_threshold,
                    ..
                } = self.pages;
                let found = tags.regions(&reading, read_pages, score_threshold, size);
                regions.extend(with_item_index(found, image.item));
            }
            Ok(Prediction::new(regions).with_mean_score())
        }))
    }

    fn each_task(
        &self,
        tasks: &[Task],
        read: impl Fn(&Task) -> anyhow::Result<Prediction> + Sync,
    ) -> Predictions {
        let predictions = map_parallel(tasks, self.n_jobs, read).into_iter();
        predictions.map(TaskPrediction::from).collect()
    }

    fn open<T>(
        &self,
        project: &Project,
        task: &Task,
        url: &str,
        work: impl FnOnce(&RgbImage) -> T,
    ) -> anyhow::Result<T> {
        let path = project.local_path(task, &self.addresses.of(url)?)?;
        Ok(self.reader.open(&path, work)?)
    }
}

impl Model for TesseractOcr {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        let config = project.label_config();
        let is_smart = |smart: &str| smart.eq_ignore_ascii_case("true");
        let mut controls = config.controls().iter();
        if !controls.any(|control| control.attr("smart").is_some_and(is_smart)) {
            tracing::warn!(
                "the label config has no smart tool: add smart=\"true\" to <RectangleLabels>, and text is read when one is drawn"
            );
        }
        Ok(project.set_initial_model_version(VERSION)?)
    }

    fn manifest(&self) -> Option<&str> {
        Some(label_studio_ml::manifest!())
    }

    fn check(&self, config: &LabelConfig) -> anyhow::Result<()> {
        let text_area = text_area(config, None)?;
        self.settings
            .of(text_area.control, self.tesseract.languages())?;
        if self.pages.read_pages != PageUnit::Off {
            PageTags::new(config, text_area)?;
        }
        Ok(())
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        if request.is_interactive() {
            self.read_drawn(project, request)
        } else {
            self.read_pages(project, request)
        }
    }

    fn name(&self) -> &'static str {
        "BBOXOCR"
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it replaces the error")]
fn bad_request(error: anyhow::Error) -> RawError {
    RawError::new(400, format!("{error:#}"))
}

/// Returns the `TextArea` of an image, of any if it has no name.
fn text_area<'a>(
    config: &'a LabelConfig,
    image: Option<&str>,
) -> Result<Pair<'a>, LabelConfigError> {
    let is_it = |name: &str| image.is_none_or(|image| image == name);
    config.first_pair_where("TextArea", "Image", |_| true, |object| is_it(&object.name))
}

fn text_area_of<'a>(project: &'a Project, drawn: &Drawn<'_>) -> Option<Pair<'a>> {
    text_area(project.label_config(), Some(drawn.to_name()?)).ok()
}

/// Returns the text as a region at the place of the drawn one, as Label Studio's editor writes it.
fn text_region(text_area: Pair<'_>, drawn: &Drawn<'_>, text: &str, size: (u32, u32)) -> Region {
    let Pair { control, object } = text_area;
    let to_name = drawn.to_name().unwrap_or(&object.name);
    let value = drawn.value_with_text(text);
    let mut region =
        Region::new(&control.name, to_name, control.kind(), value).with_image_size(size.0, size.1);
    region.id = drawn.shape["id"].as_str().map(str::to_owned);
    region.extra.insert("origin".to_owned(), json!("manual"));
    if let Some(item) = drawn.item_index() {
        region.extra.insert("item_index".to_owned(), json!(item));
    }
    region
}

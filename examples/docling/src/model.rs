//! The model: from a task's document to regions.

use std::{
    collections::HashMap,
    fs,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use label_studio_ml::{
    Event, Model, PredictRequest, Prediction, Predictions, Project, Region, Task, TaskPrediction,
    Value,
    anyhow::{self, Context, anyhow, bail},
    json,
    sdk::http::NetworkOptions,
    serde_json,
};
use label_studio_services::{CacheKey, Deadline, ResponseCache, ServiceClient, map_parallel};
use label_studio_vision::images::{Limits, upright_size};

use crate::{
    Converted, Document, Job, Options, Placed, RegionOptions, Service, Source, raster_size,
    regions,
    service::{artifact_document, best_artifact},
    source::name_and_kind,
    task_file_url,
};

const OWN_VERSION: &str = concat!("DoclingService-", env!("CARGO_PKG_VERSION"));
/// Time to ask the service for its version, at the start.
const VERSION_TIME: Duration = Duration::from_secs(5);
/// Documents are converted at the same time unless they share one of these.
const N_LOCKS: usize = 64;
/// Unfinished conversions that are remembered.
const MAX_JOBS: usize = 1000;
/// Size that stands for an unknown one: percentages stay right.
const PLACEHOLDER: (u32, u32) = (100, 100);

/// Turns documents into regions with a Docling service.
#[derive(Debug)]
pub struct Docling {
    options: Options,
    shape: RegionOptions,
    service: Result<Service, String>,
    version: String,
    documents: ResponseCache,
    /// Conversions that a request has not seen the end of.
    jobs: Mutex<HashMap<CacheKey, Job>>,
    locks: Vec<Mutex<()>>,
    hasher: RandomState,
}

/// Converts a task's document with the service.
struct Conversion<'a> {
    service: &'a Service,
    project: &'a Project,
    task: &'a Task,
    deadline: Deadline,
}

impl Docling {
    /// Creates the model. What is missing is said when it is needed.
    pub fn new(options: Options, network: NetworkOptions) -> anyhow::Result<Self> {
        let service = options.address.options(&options.service, network);
        let client = ServiceClient::new(service)?;
        let service = Service::new(&options.address, client).map_err(|error| format!("{error:#}"));
        if let Err(error) = &service {
            tracing::error!("no document can be converted: {error}");
        }
        Ok(Self {
            shape: options.shape.options(),
            service,
            version: OWN_VERSION.to_owned(),
            documents: ResponseCache::new(options.address.response_cache_mb << 20),
            jobs: Mutex::default(),
            locks: (0..N_LOCKS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            options,
        })
    }

    /// Creates the model and asks the service for its version, which becomes part of the model's.
    pub fn load(options: Options, network: NetworkOptions) -> anyhow::Result<Self> {
        let mut model = Self::new(options, network)?;
        if let Ok(service) = &model.service
            && let Some(version) = service.version(Deadline::after(VERSION_TIME))
        {
            model.version = format!("{OWN_VERSION}+docling-serve-{version}");
        }
        Ok(model)
    }

    fn predict_task(
        &self,
        project: &Project,
        task: &Task,
        deadline: Deadline,
    ) -> anyhow::Result<Prediction> {
        let field = self.options.address.docling_task_data_key.trim();
        let Some(url) = task_file_url(&task.data, field) else {
            let fields: Vec<_> = task.data.keys().collect();
            tracing::warn!(task = task.id, ?fields, "the task has no document");
            return Ok(Prediction::new([] as [Region; 0]));
        };
        let is_web = url.starts_with("http://") || url.starts_with("https://");
        let source = if is_web && self.options.address.is_remote() {
            Source::Url(url)
        } else {
            let path = project.local_path(task, &url)?;
            Source::File {
                path,
                name: name_and_kind(&url).0,
            }
        };
        let service = self.service.as_ref().map_err(|error| anyhow!("{error}"))?;
        let conversion = Conversion {
            service,
            project,
            task,
            deadline: deadline.at_most(self.options.address.docling_serve_timeout),
        };
        let document = self.document(&conversion, &source)?;
        Ok(self.prediction(&document, &source))
    }

    /// Converts a document, or returns what an earlier request had converted or begun to convert.
    fn document(&self, conversion: &Conversion<'_>, source: &Source) -> anyhow::Result<Document> {
        let key = conversion.service.cache_key(source)?;
        let _alone = self.lock(&key);
        if let Some(json) = self.documents.get(&key) {
            return document_of(&json);
        }
        let begun = self.jobs().remove(&key);
        if let Some(job) = begun {
            match self.finish(conversion, &key, &job) {
                // The service forgets jobs in the end, and when it is restarted.
                Err(error) if is_forgotten(&error) => {}
                converted => return self.keep(key, converted?),
            }
        }
        let job = conversion.service.submit(source, conversion.deadline)?;
        let json = self.finish(conversion, &key, &job)?;
        self.keep(key, json)
    }

    /// Reads a document and keeps it: the service hands it out once.
    fn keep(&self, key: CacheKey, json: String) -> anyhow::Result<Document> {
        let document = document_of(&json)?;
        self.documents.insert(key, json);
        Ok(document)
    }

    fn finish(
        &self,
        conversion: &Conversion<'_>,
        key: &CacheKey,
        job: &Job,
    ) -> anyhow::Result<String> {
        let Conversion {
            service,
            project,
            task,
            deadline,
        } = *conversion;
        if !service.wait(job, deadline)? {
            let mut jobs = self.jobs();
            if jobs.len() >= MAX_JOBS {
                jobs.clear();
            }
            jobs.insert(*key, job.clone());
            drop(jobs);
            bail!(
                "the document is still being converted; ask again in a while, the conversion goes on"
            );
        }
        match service.result(job, deadline)? {
            Converted::Document(json) => Ok(json),
            Converted::Artifacts(artifacts) => {
                let artifact = best_artifact(&artifacts)?;
                // Without the service's key, and from nowhere inside this network unless that is allowed.
                let path = project
                    .local_path(task, &artifact.uri)
                    .context("the converted document cannot be fetched")?;
                artifact_document(
                    artifact,
                    fs::read(&path)?,
                    self.options.address.max_result_bytes(),
                )
            }
        }
    }

    fn prediction(&self, document: &Document, source: &Source) -> Prediction {
        let placed = regions(document, &self.shape);
        let pages = document.page_numbers();
        let has_index = pages.len() > 1 && self.shape.page_no.is_none();
        let n_entries = u32::try_from(placed.len()).unwrap_or(u32::MAX);
        let mut sizes = HashMap::new();
        let finished = placed.into_iter().map(|Placed { region, page_no }| {
            let size = *sizes.entry(page_no).or_insert_with(|| {
                let raster = document.page(page_no).and_then(raster_size);
                raster.or_else(|| image_size(source)).unwrap_or_else(|| {
                    tracing::warn!(
                        page_no,
                        "neither page nor file has a size; 100 x 100 stands for it"
                    );
                    PLACEHOLDER
                })
            });
            let mut region = region.with_image_size(size.0, size.1);
            if has_index {
                region
                    .extra
                    .insert("item_index".to_owned(), json!(page_no - 1));
            }
            region
        });
        let prediction = Prediction::new(finished);
        if n_entries == 0 {
            return prediction;
        }
        prediction.with_score((0.5 + 0.01 * f64::from(n_entries)).min(1.0))
    }

    fn jobs(&self) -> MutexGuard<'_, HashMap<CacheKey, Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self, key: &CacheKey) -> MutexGuard<'_, ()> {
        let idx = usize::try_from(self.hasher.hash_one(key) % N_LOCKS as u64).unwrap_or(0);
        self.locks[idx]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Model for Docling {
    fn manifest(&self) -> Option<&str> {
        Some(label_studio_ml::manifest!())
    }

    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        Ok(project.set_model_version(&self.version)?)
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let deadline = self.options.service.deadline();
        let predict =
            |task: &Task| TaskPrediction::from(self.predict_task(project, task, deadline));
        let n_threads = self.options.service.parallelism;
        Ok(map_parallel(&request.tasks, n_threads, predict)
            .into_iter()
            .collect())
    }

    fn fit(&self, _project: &Project, _event: &Event) -> anyhow::Result<Value> {
        Ok(json!({}))
    }
}

fn document_of(json: &str) -> anyhow::Result<Document> {
    serde_json::from_str(json).context("the document is not one of Docling's")
}

/// Returns whether the service no longer knows a job.
fn is_forgotten(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<label_studio_services::ServiceError>();
    error.is_some_and(|error| error.status() == Some(404))
}

/// Returns the size of a file that is an image, upright.
fn image_size(source: &Source) -> Option<(u32, u32)> {
    let Source::File { path, .. } = source else {
        return None;
    };
    upright_size(path, &Limits::default()).ok()
}

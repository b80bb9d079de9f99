//! Loading of models.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use ort::{environment::Environment, logging::LogLevel};

use super::{
    Device, Engine, EngineKind, OnnxArgs, OnnxError, file_kind, library, options::SessionOptions,
    sessions,
};

/// ONNX Runtime allows one environment per process; the first library found is used for all
/// runtimes.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// Loads models. Cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    engine: Loader,
    options: SessionOptions,
}

#[derive(Clone)]
enum Loader {
    Ort(Environment),
    #[cfg(feature = "rten")]
    Rten,
}

impl Runtime {
    /// Finds the engine that `args` ask for and starts it.
    pub fn new(args: &OnnxArgs) -> Result<Self, OnnxError> {
        let engine = match args.onnx_engine {
            EngineKind::Ort => Loader::Ort(environment(args)?),
            #[cfg(feature = "rten")]
            EngineKind::Rten => Loader::Rten,
        };
        let n_sessions = args.onnx_sessions.max(1);
        let n_threads = match args.onnx_threads {
            0 => thread::available_parallelism().map_or(1, usize::from) / n_sessions,
            n_threads => n_threads,
        };
        let options = SessionOptions {
            device: args.device,
            n_sessions,
            n_threads: n_threads.max(1),
            spinning: args.onnx_spinning,
        };
        Ok(Self { engine, options })
    }

    /// Returns a runtime whose models run up to `max_sessions` inputs at a time with fewer threads
    /// each, and as many in all.
    ///
    /// Small inputs gain from that: the threads of a run wait for each other after each operator.
    #[must_use]
    pub fn with_parallel_runs(mut self, max_sessions: usize) -> Self {
        let SessionOptions {
            n_sessions,
            n_threads,
            ..
        } = self.options;
        let n_all = n_sessions * n_threads;
        self.options.n_sessions = n_sessions.max(max_sessions.min(n_all)).max(1);
        self.options.n_threads = (n_all / self.options.n_sessions).max(1);
        self
    }

    /// Returns how many inputs a model runs at a time.
    pub fn n_sessions(&self) -> usize {
        self.options.n_sessions
    }

    /// Returns whether models may run on a GPU, where large batches pay.
    pub fn may_use_gpu(&self) -> bool {
        cfg!(feature = "cuda") && self.options.device != Device::Cpu
    }

    /// Loads the model in the file `path`; data files beside it are found by their names in it.
    pub fn load(&self, path: impl AsRef<Path>) -> Result<Arc<dyn Engine>, OnnxError> {
        let path = path.as_ref();
        file_kind::check(path)?;
        match &self.engine {
            Loader::Ort(environment) => sessions::load(environment, path, &self.options),
            #[cfg(feature = "rten")]
            Loader::Rten => super::rten::load(path, &self.options),
        }
    }
}

fn environment(args: &OnnxArgs) -> Result<Environment, OnnxError> {
    let mut shared = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = shared.as_ref() {
        return Ok(environment.clone());
    }
    let path = library::find(args)?;
    let builder = ort::init_from(&path).map_err(|source| OnnxError::LibraryUnusable {
        path: path.clone(),
        source,
    })?;
    let environment = builder
        .with_name("label-studio-ml")
        .with_telemetry(false)
        .with_logger(Arc::new(log))
        .build()
        .map_err(OnnxError::Environment)?;
    environment.set_log_level(LogLevel::Warning);
    tracing::info!(library = %path.display(), "ONNX Runtime found");
    Ok(shared.insert(environment).clone())
}

fn log(level: LogLevel, category: &str, _id: &str, _code_location: &str, message: &str) {
    match level {
        LogLevel::Fatal | LogLevel::Error => tracing::error!(category, "{message}"),
        LogLevel::Warning => tracing::debug!(category, "{message}"),
        LogLevel::Info | LogLevel::Verbose => tracing::trace!(category, "{message}"),
    }
}

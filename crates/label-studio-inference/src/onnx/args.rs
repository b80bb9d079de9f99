//! Flags of ONNX models.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::{ArgAction, Args, Command, FromArgMatches, ValueEnum, builder::FalseyValueParser};

/// How ONNX models are run
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Inference")]
pub struct OnnxArgs {
    /// Where models run: auto, cpu, cuda, or cuda:N (also gpu:N) for the GPU with that number
    #[arg(long, env = "DEVICE", default_value = "auto")]
    pub device: Device,

    /// Threads per run of a model; 0 divides all cores among the sessions
    #[arg(long, env = "ONNX_THREADS", default_value_t = 0)]
    pub onnx_threads: usize,

    /// Parallel runs of one model; each needs memory for its weights
    #[arg(long, env = "ONNX_SESSIONS", default_value_t = 1, value_parser = at_least_one)]
    pub onnx_sessions: usize,

    /// Let idle inference threads spin: a little faster on an idle machine, much slower on a busy
    /// one
    #[arg(long, env = "ONNX_SPINNING", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub onnx_spinning: bool,

    /// Engine that runs models
    #[arg(long, env = "ONNX_ENGINE", default_value = "ort")]
    pub onnx_engine: EngineKind,

    /// Path of ONNX Runtime's library or its folder; searched where `make setup` and pip install it
    /// if not given
    #[arg(long, env = "ORT_DYLIB_PATH", value_name = "PATH")]
    pub ort_dylib_path: Option<PathBuf>,

    /// Python's virtual environment, which is searched for the library
    #[arg(long, env = "VIRTUAL_ENV", hide = true)]
    pub virtual_env: Option<PathBuf>,

    /// Folders that may hold a `.ort`, besides the working directory
    #[arg(skip)]
    pub more_folders: Vec<PathBuf>,
}

/// Engine that runs models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[non_exhaustive]
pub enum EngineKind {
    /// ONNX Runtime, loaded when the backend starts.
    Ort,
    /// The engine in pure Rust: no library to find, fewer operators, one and a half times the work.
    #[cfg(feature = "rten")]
    Rten,
}

/// Where models run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    /// On a GPU if the program and the library can use one, else on the CPU.
    #[default]
    Auto,
    /// On the CPU.
    Cpu,
    /// On the GPU with this number; an error without one.
    Cuda(i32),
}

impl OnnxArgs {
    /// Returns the flags that the environment sets, and searches for `.ort` in `folder` and all
    /// folders above it.
    ///
    /// For tests and benches, which run in their package's folder:
    /// `OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))`.
    pub fn near(folder: impl AsRef<Path>) -> Self {
        let command = Self::augment_args(Command::new("onnx"));
        let matches = command.get_matches_from(["onnx"]);
        let args = Self::from_arg_matches(&matches).expect("clap checked the values");
        let more_folders = folder.as_ref().ancestors().map(Path::to_owned).collect();
        Self {
            more_folders,
            ..args
        }
    }
}

impl Default for OnnxArgs {
    fn default() -> Self {
        Self {
            device: Device::Auto,
            onnx_threads: 0,
            onnx_sessions: 1,
            onnx_spinning: false,
            onnx_engine: EngineKind::Ort,
            ort_dylib_path: None,
            virtual_env: None,
            more_folders: Vec::new(),
        }
    }
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().to_ascii_lowercase();
        match text.as_str() {
            "" | "auto" => return Ok(Self::Auto),
            "cpu" => return Ok(Self::Cpu),
            "cuda" | "gpu" => return Ok(Self::Cuda(0)),
            _ => {}
        }
        let number = ["cuda:", "gpu:"]
            .into_iter()
            .find_map(|prefix| text.strip_prefix(prefix));
        let number = number.unwrap_or(&text);
        match number.parse() {
            Ok(number @ 0..) => Ok(Self::Cuda(number)),
            _ => Err("auto, cpu, cuda or cuda:N is expected".to_owned()),
        }
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..) => Ok(number),
        _ => Err("a number from 1 is expected".to_owned()),
    }
}

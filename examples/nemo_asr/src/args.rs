//! Flags of the backend.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args, ValueEnum};
use label_studio_audio::{
    Audio,
    features::{FrontEndOptions, Padding},
    transcript::SegmentOptions,
    windows::WindowOptions,
};
use label_studio_ml::anyhow::{self, Context};

use crate::{
    NemoAsr, Recogniser, SpeechModel, TimestampUnit, Transcriber, files::Wanted,
    tags::RegionOptions,
};

/// NeMo: the model, and what becomes of its transcripts
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "NeMo ASR")]
pub struct NemoAsrArgs {
    /// Model: a folder or an ONNX file, the name of a folder in the folder of models, or
    /// `hf://owner/name`
    #[arg(long, env = "MODEL_NAME", default_value = "QuartzNet15x5Base-En")]
    pub model_name: String,

    /// Folder of the models
    #[arg(long, env = "MODEL_ROOT", default_value = "models")]
    pub model_root: PathBuf,

    /// Kind of the weights where a model has several, such as int8 for model.int8.onnx
    #[arg(long, env = "QUANTIZATION", default_value = "")]
    pub quantization: String,

    /// Version of NeMo whose front end is computed
    #[arg(long, env = "FRONT_END", value_enum, default_value_t)]
    pub front_end: FrontEndRule,

    /// Windows of audio that run together
    #[arg(long, env = "BATCH_SIZE", default_value = "4")]
    pub batch_size: NonZeroUsize,

    /// Longest audio in seconds that runs as a whole; longer audio is cut where it is quiet
    #[arg(long, env = "WINDOW_SECONDS", default_value_t = 60.0, value_parser = window_seconds)]
    pub window_seconds: f64,

    /// What becomes a region where the label config has `Labels` on the `Audio`
    #[arg(long, env = "TIMESTAMPS", value_enum, default_value_t)]
    pub timestamps: TimestampUnit,

    /// Seconds without a word that end a segment
    #[arg(long, env = "SEGMENT_GAP", default_value_t = 1.0, value_parser = gap_seconds)]
    pub segment_gap: f64,
}

/// Version of NeMo whose front end is computed
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum FrontEndRule {
    /// 2.6 and later: zeros around the audio
    #[default]
    #[value(name = "nemo-2.6")]
    Nemo26,
    /// 2.4 and before, such as 1.23: the audio mirrored at its ends, and a frame more
    #[value(name = "nemo-2.4")]
    Nemo24,
}

impl NemoAsrArgs {
    /// Finds or fetches the model, and loads it.
    pub fn load(&self, audio: Audio) -> anyhow::Result<NemoAsr> {
        let Audio {
            runtime,
            hub,
            reader,
        } = audio;
        let wanted = Wanted {
            name: self.model_name.trim(),
            root: &self.model_root,
            quantization: self.quantization.trim(),
        };
        let model = SpeechModel::find(wanted, &hub)?;
        let front_end = FrontEndOptions {
            padding: match self.front_end {
                FrontEndRule::Nemo26 => Padding::Zeros,
                FrontEndRule::Nemo24 => Padding::Mirrored,
            },
            ..model.config.front_end.clone()
        };
        // On a CPU several windows at once fit no cache, and take longer than one after the other.
        let batch_size = if runtime.may_use_gpu() {
            self.batch_size.get()
        } else {
            1
        };
        let recogniser = Recogniser::load(&runtime, model, front_end, batch_size)
            .with_context(|| format!("MODEL_NAME={} cannot be used", self.model_name))?;
        Ok(NemoAsr {
            transcriber: Transcriber {
                windows: WindowOptions {
                    rate: recogniser.sample_rate(),
                    seconds: self.window_seconds,
                    ..WindowOptions::default()
                },
                reader,
                recogniser,
            },
            regions: RegionOptions {
                unit: self.timestamps,
                segments: SegmentOptions {
                    gap: self.segment_gap,
                },
            },
        })
    }
}

fn window_seconds(text: &str) -> Result<f64, String> {
    match text.trim().parse() {
        Ok(seconds) if (2.0..=600.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 2 to 600 is expected".to_owned()),
    }
}

fn gap_seconds(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds.is_finite() => Ok(seconds),
        _ => Err("a number of seconds above 0 is expected".to_owned()),
    }
}

//! Flags of the backend.

use std::num::NonZeroUsize;

use clap::{ArgAction, Args, builder::BoolishValueParser};
use label_studio_services::{Secret, ServiceArgs, aws::BucketArgs};

/// Settings of Deepgram and of the bucket for the audio.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Speech synthesis.
    #[command(flatten)]
    pub speech: SpeechArgs,

    /// Bucket for the audio.
    #[command(flatten)]
    pub bucket: BucketArgs,

    /// Add a hash of the audio to its name, so that a cache never shows an older version
    #[arg(long, env = "S3_HASHED_NAMES", default_value = "true", action = ArgAction::Set,
          value_parser = BoolishValueParser::new(), help_heading = "S3")]
    pub s3_hashed_names: bool,

    /// Try everything out without Deepgram, S3 and Label Studio: 1, true, yes or on
    #[arg(
        long,
        env = "DEEPGRAM_TEST_MODE",
        default_value = "",
        hide_default_value = true
    )]
    pub test_mode: String,

    #[arg(long, env = "TEST_ENV", default_value = "", hide = true)]
    test_env: String,

    /// Time-outs, retries and proxy of services.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// Speech synthesis
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Deepgram")]
pub struct SpeechArgs {
    /// Key for Deepgram
    #[arg(long, env = "DEEPGRAM_API_KEY", hide_env_values = true)]
    pub deepgram_api_key: Option<Secret>,

    /// Address of Deepgram's API
    #[arg(
        long,
        env = "DEEPGRAM_URL",
        default_value = "https://api.deepgram.com/v1/speak"
    )]
    pub deepgram_url: String,

    /// Voice, such as aura-2-thalia-en; Deepgram chooses if not given
    #[arg(long, env = "DEEPGRAM_MODEL")]
    pub deepgram_model: Option<String>,

    /// Encoding, such as mp3, linear16, opus, flac, aac; mp3 if not given
    #[arg(long, env = "DEEPGRAM_ENCODING")]
    pub deepgram_encoding: Option<String>,

    /// Container of the encoding, such as wav or ogg
    #[arg(long, env = "DEEPGRAM_CONTAINER")]
    pub deepgram_container: Option<String>,

    /// Samples per second
    #[arg(long, env = "DEEPGRAM_SAMPLE_RATE")]
    pub deepgram_sample_rate: Option<String>,

    /// Bits per second
    #[arg(long, env = "DEEPGRAM_BIT_RATE")]
    pub deepgram_bit_rate: Option<String>,

    /// Speed of the voice, such as 1.2
    #[arg(long, env = "DEEPGRAM_SPEED")]
    pub deepgram_speed: Option<String>,

    /// Longest text to speak, in characters; Deepgram takes 2000
    #[arg(long, env = "MAX_TEXT_CHARS", default_value = "2000")]
    pub max_text_chars: NonZeroUsize,
}

impl Options {
    /// Returns whether the backend is tried out without any service.
    pub fn is_test(&self) -> bool {
        let is_on = |text: &str| matches!(text, "1" | "true" | "TRUE" | "True" | "yes" | "on");
        is_on(self.test_mode.trim()) || is_on(self.test_env.trim())
    }
}

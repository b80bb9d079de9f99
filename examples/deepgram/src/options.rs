//! Flags of the backend.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{ArgAction, Args, ValueEnum, builder::BoolishValueParser};
use label_studio_services::{Secret, ServiceArgs, first_filled};

/// Who speaks, and where the audio is kept.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Who speaks.
    #[command(flatten)]
    pub speech: SpeechArgs,

    /// Where the audio is kept.
    #[command(flatten)]
    pub bucket: BucketArgs,

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

    /// How services are called.
    #[command(flatten)]
    pub service: ServiceArgs,
}

/// Who speaks
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Deepgram")]
pub struct SpeechArgs {
    /// Key for Deepgram
    #[arg(long, env = "DEEPGRAM_API_KEY", hide_env_values = true)]
    pub deepgram_api_key: Option<Secret>,

    /// Where Deepgram is asked
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

/// Where the audio is kept
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "S3")]
pub struct BucketArgs {
    /// Bucket for the audio
    #[arg(long, env = "S3_BUCKET")]
    pub s3_bucket: Option<String>,

    /// Folder in the bucket
    #[arg(long, env = "S3_FOLDER")]
    pub s3_folder: Option<String>,

    /// Region of the bucket
    #[arg(long, env = "AWS_DEFAULT_REGION")]
    pub aws_default_region: Option<String>,

    #[arg(long, env = "AWS_REGION", hide = true)]
    aws_region: Option<String>,

    /// Name of the access key
    #[arg(long, env = "AWS_ACCESS_KEY_ID")]
    pub aws_access_key_id: Option<String>,

    /// The access key
    #[arg(long, env = "AWS_SECRET_ACCESS_KEY", hide_env_values = true)]
    pub aws_secret_access_key: Option<Secret>,

    /// What a temporary access key comes with
    #[arg(long, env = "AWS_SESSION_TOKEN", hide_env_values = true)]
    pub aws_session_token: Option<Secret>,

    /// Credentials file, for when no access key is given; ~/.aws/credentials if not given
    #[arg(long, env = "AWS_SHARED_CREDENTIALS_FILE")]
    pub aws_shared_credentials_file: Option<PathBuf>,

    /// Folder that ~ means
    #[arg(long, env = "HOME", hide = true)]
    home: Option<PathBuf>,

    /// Profile in the credentials file
    #[arg(long, env = "AWS_PROFILE", default_value = "default")]
    pub aws_profile: String,

    /// Address of another store with S3's API, such as `http://minio:9000`
    #[arg(long, env = "S3_ENDPOINT_URL")]
    pub s3_endpoint_url: Option<String>,

    /// Where the bucket's name stands in addresses; for S3 before the host, for other stores in the path if not given
    #[arg(long, env = "S3_ADDRESSING", value_enum)]
    pub s3_addressing: Option<Addressing>,

    /// Who may read the audio, as a canned ACL; nothing for buckets without ACLs
    #[arg(long, env = "S3_ACL", default_value = "public-read")]
    pub s3_acl: String,

    /// Encryption at rest, such as AES256 or aws:kms
    #[arg(long, env = "S3_SSE")]
    pub s3_sse: Option<String>,

    /// What the task gets as the audio's address
    #[arg(long, env = "S3_URL_STYLE", value_enum, default_value_t)]
    pub s3_url_style: UrlStyle,

    /// Address in front of the bucket that the task gets instead of S3's, such as a CDN's
    #[arg(long, env = "S3_PUBLIC_URL")]
    pub s3_public_url: Option<String>,

    /// Seconds that a presigned address works, a week at most
    #[arg(long, env = "S3_PRESIGN_SECONDS", default_value = "604800", value_parser = clap::value_parser!(u32).range(1..=604_800))]
    pub s3_presign_seconds: u32,

    /// Put a hash of the audio into its name, so that a new version is never hidden by a cached one
    #[arg(long, env = "S3_HASHED_NAMES", default_value = "true", action = ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub s3_hashed_names: bool,
}

/// Where the bucket's name stands in addresses
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Addressing {
    /// Before the host
    Virtual,
    /// In the path
    Path,
}

/// What the task gets as the audio's address
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum UrlStyle {
    /// The address of the object, which must be readable without credentials
    #[default]
    Public,
    /// An address with a signature, which ends to work
    Presigned,
    /// `s3://bucket/key`, which Label Studio resolves with a storage of its own
    S3,
}

impl Options {
    /// Tells whether nothing outside this program is to be asked.
    pub fn is_test(&self) -> bool {
        let is_on = |text: &str| matches!(text, "1" | "true" | "TRUE" | "True" | "yes" | "on");
        is_on(self.test_mode.trim()) || is_on(self.test_env.trim())
    }
}

impl BucketArgs {
    /// Returns where the credentials file is.
    pub fn credentials_file(&self) -> Option<PathBuf> {
        let configured = self.aws_shared_credentials_file.clone();
        configured
            .filter(|path| !path.as_os_str().is_empty())
            .or_else(|| Some(self.home.as_ref()?.join(".aws/credentials")))
    }

    /// Returns the region, from either variable.
    pub fn region(&self) -> Option<&str> {
        first_filled([&self.aws_default_region, &self.aws_region])
    }
}

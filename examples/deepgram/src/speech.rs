//! Makes audio from text.

use label_studio_ml::{
    anyhow::{self, Context, ensure},
    json,
};
use label_studio_services::{Deadline, Secret, ServiceClient, ServiceRequest};

use crate::SpeechArgs;

const MP3: &str = "audio/mpeg";
/// Types of audio, and the ends of their files' names.
const EXTENSIONS: [(&str, &str); 8] = [
    (MP3, "mp3"),
    ("audio/mp3", "mp3"),
    ("audio/wav", "wav"),
    ("audio/x-wav", "wav"),
    ("audio/ogg", "ogg"),
    ("audio/opus", "opus"),
    ("audio/flac", "flac"),
    ("audio/aac", "aac"),
];

/// Audio and its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audio {
    /// The file's content.
    pub bytes: Vec<u8>,
    /// Its type, such as `audio/mpeg`.
    pub content_type: String,
    /// End of its name, such as `mp3`.
    pub extension: &'static str,
}

/// Makes audio from text.
#[derive(Debug)]
pub enum Speech {
    /// With Deepgram.
    Deepgram {
        /// Sends the request.
        client: ServiceClient,
        /// Everything of the request but the text.
        request: Box<ServiceRequest>,
    },
    /// Without a service.
    Fake,
}

impl Speech {
    /// Creates speech from Deepgram. Nothing is sent yet.
    pub fn deepgram(args: &SpeechArgs, client: ServiceClient) -> anyhow::Result<Self> {
        let key: Option<&Secret> = args.deepgram_api_key.as_ref().filter(|key| !key.is_empty());
        let key = key.context("DEEPGRAM_API_KEY is not set")?;
        let request = ServiceRequest::post(&args.deepgram_url)?.authorization("Token", key);
        let params = [
            ("model", &args.deepgram_model),
            ("encoding", &args.deepgram_encoding),
            ("container", &args.deepgram_container),
            ("sample_rate", &args.deepgram_sample_rate),
            ("bit_rate", &args.deepgram_bit_rate),
            ("speed", &args.deepgram_speed),
        ];
        let request = params
            .into_iter()
            .fold(request, |request, (name, value)| match value {
                Some(value) if !value.trim().is_empty() => request.query(name, value.trim()),
                _ => request,
            });
        Ok(Self::Deepgram {
            client,
            request: Box::new(request),
        })
    }

    /// Speaks a text.
    pub fn speak(&self, text: &str, deadline: Deadline) -> anyhow::Result<Audio> {
        let Self::Deepgram { client, request } = self else {
            let start: String = text.chars().take(10).collect();
            return Ok(Audio {
                bytes: format!("fake-audio-{start}").into_bytes(),
                content_type: MP3.to_owned(),
                extension: "mp3",
            });
        };
        let request = ServiceRequest::clone(request).json(&json!({ "text": text }));
        let response = client.send(&request, deadline)?;
        let content_type = response.header("content-type").unwrap_or(MP3);
        let content_type = content_type.split(';').next().unwrap_or_default().trim();
        let content_type = content_type.to_ascii_lowercase();
        ensure!(
            content_type.starts_with("audio/") || content_type == "application/octet-stream",
            "{} answered with {content_type:?} instead of audio",
            request.shown_url()
        );
        ensure!(
            !response.body.is_empty(),
            "{} answered with no audio",
            request.shown_url()
        );
        let known = EXTENSIONS.iter().find(|(kind, _)| *kind == content_type);
        let (content_type, extension) = *known.unwrap_or(&EXTENSIONS[0]);
        Ok(Audio {
            bytes: response.body.to_vec(),
            content_type: content_type.to_owned(),
            extension,
        })
    }
}

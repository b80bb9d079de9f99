//! Small models, and the whole server around them.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "each test file uses a part"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use label_studio_audio::AudioArgs;
use label_studio_inference::onnx::{OnnxArgs, Runtime};
use label_studio_ml::{ServerArgs, Value, anyhow, json, serde_json, testing::TestClient};
use nemo_asr::{NemoAsr, NemoAsrArgs, Recogniser, SpeechModel};

/// The label config of the original.
pub const WHOLE: &str = r#"<View>
  <Audio name="audio" value="$audio" zoom="true" hotkey="ctrl+enter" />
  <Header value="Provide Transcription" />
  <TextArea name="transcription" toName="audio" rows="4" editable="true" maxSubmissions="1" />
</View>"#;

/// Segments with a text each.
pub const REGIONS: &str = r#"<View>
  <Labels name="labels" toName="audio"><Label value="Music"/><Label value="Voice" predicted_values="speech"/></Labels>
  <Audio name="audio" value="$audio"/>
  <TextArea name="said" toName="audio" perRegion="true" editable="true"/>
</View>"#;

/// Models that NeMo made, and what it hears with them.
pub const MODELS: [&str; 4] = ["quartznet", "conformer_ctc", "rnnt", "tdt"];

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    nemo_asr: NemoAsrArgs,
    #[command(flatten)]
    audio: AudioArgs,
    #[command(flatten)]
    server: ServerArgs,
}

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// The address of a clip.
pub fn data_url(name: &str) -> String {
    to_url(&fs::read(fixture(&format!("{name}.wav"))).unwrap())
}

pub fn to_url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    format!("data:audio/wav;base64,{text}")
}

/// The samples of a clip.
pub fn clip(name: &str) -> Vec<f32> {
    let bytes = fs::read(fixture(&format!("{name}.wav"))).unwrap();
    let samples = bytes[44..].as_chunks::<2>().0.iter();
    samples
        .map(|&bytes| f32::from(i16::from_le_bytes(bytes)) / 32768.0)
        .collect()
}

/// A WAV file with the samples of clips one after the other.
pub fn wav(samples: &[f32]) -> Vec<u8> {
    let n_bytes = u32::try_from(samples.len() * 2).unwrap();
    let mut file = fs::read(fixture("short.wav")).unwrap()[..44].to_vec();
    file[4..8].copy_from_slice(&(n_bytes + 36).to_le_bytes());
    file[40..44].copy_from_slice(&n_bytes.to_le_bytes());
    #[expect(clippy::cast_possible_truncation, reason = "within -1 and 1")]
    file.extend(
        samples
            .iter()
            .flat_map(|sample| ((sample * 32767.0) as i16).to_le_bytes()),
    );
    file
}

pub fn heard() -> Value {
    serde_json::from_slice(&fs::read(fixture("heard.json")).unwrap()).unwrap()
}

fn folders() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().map(Path::to_owned).collect()
}

pub fn runtime() -> Runtime {
    Runtime::new(&OnnxArgs {
        more_folders: folders(),
        ..OnnxArgs::default()
    })
    .unwrap()
}

/// A model without the server.
pub fn recogniser(folder: &Path) -> anyhow::Result<Recogniser> {
    let model = SpeechModel::read(folder, "")?;
    let front_end = model.config.front_end.clone();
    Recogniser::load(&runtime(), model, front_end, 4)
}

/// Loads the backend with flags; the last of several counts.
pub fn load(flags: &[&str]) -> anyhow::Result<NemoAsr> {
    let command = Args::command().args_override_self(true);
    let root = fixture("");
    let all = ["nemo_asr", "--model-root", root.to_str().unwrap()];
    let matches = command
        .try_get_matches_from(all.iter().chain(flags))
        .unwrap();
    let args = Args::from_arg_matches(&matches).unwrap();
    let mut audio = args.audio;
    audio.inference.onnx.more_folders = folders();
    args.nemo_asr
        .load(audio.start(args.server.network.options())?)
}

pub fn client(flags: &[&str]) -> TestClient {
    TestClient::new(load(flags).unwrap())
}

/// Answers a request that succeeds: one entry per address.
pub fn results(client: &TestClient, label_config: &str, urls: &[&str]) -> Vec<Value> {
    let tasks: Vec<_> = (urls.iter().enumerate())
        .map(|(idx, url)| json!({ "id": idx + 1, "data": { "audio": url } }))
        .collect();
    let body = json!({ "tasks": tasks, "label_config": label_config, "project": "1.1" });
    let (status, mut body) = client.post("/predict", &body);
    assert_eq!(status, 200, "{body}");
    serde_json::from_value(body["results"].take()).unwrap()
}

/// The text of a prediction with one region.
pub fn text(prediction: &Value) -> &str {
    let text = prediction["result"][0]["value"]["text"][0].as_str();
    text.unwrap_or_else(|| panic!("{prediction}"))
}

//! Mocks of Deepgram, S3 and Label Studio, and the backend that asks them.

use deepgram::DeepgramModel;
use label_studio_ml::sdk::http::NetworkOptions;
use label_studio_ml::{
    Resources, ServerArgs, Value, json,
    sdk::{Client, ClientOptions},
    store::MemoryStore,
    testing::TestClient,
};
use label_studio_testing::{Answer, MockService, Received, flags};

pub(crate) struct Stage {
    pub(crate) client: TestClient,
    pub(crate) service: MockService,
}

impl Stage {
    pub(crate) fn with(
        more: &[&str],
        answer: impl Fn(&Received) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let service = MockService::start(answer);
        let (speak, s3) = (service.url("/v1/speak"), service.url("/s3"));
        let mut args = vec![
            "--deepgram-url",
            &speak,
            "--deepgram-api-key",
            "deepgram-key",
            "--s3-endpoint-url",
            &s3,
            "--s3-bucket",
            "test-bucket",
            "--s3-folder",
            "tts",
            "--aws-default-region",
            "us-east-1",
            "--aws-access-key-id",
            "AKIDEXAMPLE",
            "--aws-secret-access-key",
            "aws-secret",
            "--s3-public-url",
            "https://test-bucket.s3.us-east-1.amazonaws.com",
        ];
        args.extend(more);
        let options = flags::parse(&args);
        let label_studio = ClientOptions::new(service.url("")).with_token("0123456789abcdef");
        let resources = Resources {
            client: Some(Client::new(label_studio).unwrap()),
            ..Resources::new(MemoryStore::default())
        };
        let model = DeepgramModel::new(options, NetworkOptions::default()).unwrap();
        Self {
            client: TestClient::with_resources(model, &ServerArgs::default(), resources),
            service,
        }
    }

    /// Methods and paths of all requests so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        let received = self.service.received();
        received
            .iter()
            .map(|request| format!("{} {}", request.method, request.path()))
            .collect()
    }
}

pub(crate) fn answer(request: &Received) -> Answer {
    match (request.method.as_str(), request.path()) {
        ("POST", "/v1/speak") => Answer::bytes("audio/mpeg", "ID3 the audio"),
        ("PUT", path) if path.starts_with("/s3/") => Answer::status(200),
        ("PATCH", _) => Answer::json(&json!({ "id": 123 })),
        _ => Answer::status(404),
    }
}

pub(crate) const CONFIG: &str = r#"<View>
  <Header value="What would you like to TTS?"/>
  <TextArea name="text" toName="audio" placeholder="What do you want to tts?" value="$text" valrows="4" maxSubmissions="1"/>
  <Audio name="audio" value="$audio" zoom="true" hotkey="ctrl+enter"/>
</View>"#;

pub(crate) fn body(text: &str) -> Value {
    let region = json!({ "id": "r", "from_name": "text", "to_name": "audio", "type": "textarea", "value": { "text": [text] } });
    json!({
        "tasks": [{ "id": 123, "data": { "audio": "", "text": "", "speaker": "Ann" } }],
        "project": "1.1",
        "label_config": CONFIG,
        "params": { "context": { "user_id": "user-7", "result": [region] } },
    })
}

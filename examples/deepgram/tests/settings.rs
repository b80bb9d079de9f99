//! The program's settings.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
};

use label_studio_ml::{Value, json, testing::TestProgram};
use label_studio_services::{Deadline, ServiceClient, ServiceOptions, ServiceRequest};
use label_studio_testing::{Answer, MockService};

const CONFIG: &str = r#"<View><TextArea name="text" toName="audio" value="$text"/>
    <Audio name="audio" value="$audio"/></View>"#;

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program() -> TestProgram {
    TestProgram::new(env!("CARGO_BIN_EXE_deepgram"))
}

fn hello() -> Value {
    let region = json!({ "from_name": "text", "to_name": "audio", "type": "textarea", "value": { "text": ["Hello"] } });
    json!({
        "tasks": [{ "id": 123, "data": { "audio": "", "text": "" } }],
        "label_config": CONFIG,
        "params": { "context": { "user_id": "7", "result": [region] } },
    })
}

#[test]
fn variables_that_are_set_to_nothing_count_as_not_set() {
    program().assert_empty_variables_count_as_unset(&[]);
}

#[test]
fn s3_acl_set_to_nothing_means_no_acl() {
    for (variable, acl) in [(None, Some("public-read")), (Some(("S3_ACL", "")), None)] {
        let service = MockService::start(|request| match request.method.as_str() {
            "POST" => Answer::bytes("audio/mpeg", "ID3 the audio"),
            _ => Answer::json(&json!({ "id": 123 })),
        });
        let model_dir = tempfile::tempdir().unwrap();
        let [url, speak, s3] = ["", "/v1/speak", "/s3"].map(|path| service.url(path));
        let variables = [
            ("MODEL_DIR", model_dir.path().to_str().unwrap()),
            ("DEEPGRAM_URL", &speak),
            ("DEEPGRAM_API_KEY", "deepgram-key"),
            ("S3_ENDPOINT_URL", &s3),
            ("S3_BUCKET", "test-bucket"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "aws-secret"),
            ("LABEL_STUDIO_URL", &url),
            ("LABEL_STUDIO_API_KEY", "0123456789abcdef"),
        ];
        let mut command = program().command(variables.into_iter().chain(variable));
        command
            .args(["--check", "--host", "127.0.0.1", "--port", "0"])
            .stdout(Stdio::piped());
        let mut running = Running(command.spawn().unwrap());
        let mut log = BufReader::new(running.0.stdout.take().unwrap()).lines();
        let address = log.find_map(|line| {
            let line = line.unwrap();
            Some(line.trim().split_once("listening on http://")?.1.to_owned())
        });
        let request = ServiceRequest::post(&format!("http://{}/predict", address.unwrap()));
        let request = request.unwrap().json(&hello());
        let client = ServiceClient::new(ServiceOptions::default()).unwrap();
        client.send(&request, Deadline::predict()).unwrap();
        let received = service.received();
        let upload = received.iter().find(|request| request.method == "PUT");
        assert_eq!(upload.unwrap().header("x-amz-acl"), acl, "{variable:?}");
    }
}

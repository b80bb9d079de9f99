//! Images in S3.

mod support;

use std::fs;

use label_studio_ml::{
    Resources, ServerArgs, json,
    sdk::{MediaFetcher, MediaOptions},
    store::MemoryStore,
    testing::TestClient,
};
use label_studio_services::aws::{AccessKeyArgs, PresignedUrls, S3Args};
use label_studio_testing::{Answer, MockService};
use support::{fixture, tiny_model};

fn keys() -> S3Args {
    S3Args {
        access_key: AccessKeyArgs {
            aws_access_key_id: Some("AKIAIOSFODNN7EXAMPLE".to_owned()),
            aws_secret_access_key: Some("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()),
            aws_session_token: None,
        },
        aws_default_region: "us-east-1".to_owned(),
        aws_endpoint_url: None,
    }
}

#[test]
fn images_in_a_bucket_are_labelled() {
    let image = fs::read(fixture("large.png")).unwrap();
    let store = MockService::start(move |request| {
        match (request.path(), request.query("X-Amz-Signature")) {
            ("/images/a/large.png", Some(_)) => Answer::bytes("image/png", image.clone()),
            (_, Some(_)) => Answer::status(404),
            _ => Answer::status(403),
        }
    });
    let addresses = PresignedUrls::new(&S3Args {
        aws_endpoint_url: Some(store.url("/")),
        ..keys()
    });
    let model = tiny_model("rtmdet-raw.onnx", addresses.unwrap(), |_| {});
    let cache = tempfile::tempdir().unwrap();
    let options = MediaOptions {
        allow_private_addresses: true,
        ..MediaOptions::new(cache.path())
    };
    let resources = Resources {
        media: Some(MediaFetcher::new(None, options).unwrap()),
        ..Resources::new(MemoryStore::default())
    };
    let client = TestClient::with_resources(model, &ServerArgs::default(), resources);
    let config = "<View><Image name=\"image\" value=\"$image\"/><RectangleLabels name=\"label\" toName=\"image\" \
        model_score_threshold=\"0\"><Label value=\"Car\"/></RectangleLabels></View>";
    let tasks = [
        json!({ "image": "s3://images/a/large.png" }),
        json!({ "image": "s3://images/missing.png" }),
        json!({ "image": "s3://images" }),
        json!({ "image": "s3://images/a/large.png" }),
    ];
    let results = support::results(&client, config, &tasks);
    assert!(!results[0]["result"].as_array().unwrap().is_empty());
    assert_eq!(results[3]["result"], results[0]["result"]);
    for (result, message) in [(&results[1], "404"), (&results[2], "names no object")] {
        let error = result["error"].as_str().unwrap();
        assert!(error.contains(message), "{error}");
        assert!(!error.contains("Signature"), "{error}");
    }
    assert_eq!(store.received_at("/images/a/large.png").len(), 1);
}

//! Images in S3.

mod support;

use std::{
    fs,
    time::{Duration, SystemTime},
};

use label_studio_ml::{
    Resources, ServerArgs, json,
    sdk::{MediaFetcher, MediaOptions},
    store::MemoryStore,
    testing::TestClient,
};
use label_studio_services::Secret;
use label_studio_testing::{Answer, MockService};
use mmdetection_3::{S3Args, SignedAddresses};
use support::{fixture, tiny_model};

fn keys() -> S3Args {
    S3Args {
        aws_access_key_id: Some("AKIAIOSFODNN7EXAMPLE".to_owned()),
        aws_secret_access_key: Some("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()),
        aws_default_region: "us-east-1".to_owned(),
        ..S3Args::default()
    }
}

/// 24 May 2013, some time after midnight.
fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600 + seconds)
}

#[test]
fn objects_get_addresses_that_anybody_can_fetch() {
    let addresses = SignedAddresses::new(keys()).unwrap();
    let signed = addresses.at("s3://pictures/a b/ü.jpg?x#1", at(0)).unwrap();
    let (start, query) = signed.split_once('?').unwrap();
    assert_eq!(
        start,
        "https://pictures.s3.us-east-1.amazonaws.com/a%20b/%C3%BC.jpg%3Fx%231"
    );
    for part in [
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
        "X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request",
        "X-Amz-Date=20130524T000000Z",
        "X-Amz-Expires=10800",
        "X-Amz-SignedHeaders=host",
    ] {
        assert!(query.contains(part), "{query}");
    }
    // Signed again within the hour the address is the same, so the image that was fetched is found again.
    let again = |seconds| {
        addresses
            .at("s3://pictures/a b/ü.jpg?x#1", at(seconds))
            .unwrap()
    };
    assert_eq!(again(3599), signed);
    assert_ne!(again(3600), signed);

    let session = SignedAddresses::new(S3Args {
        aws_session_token: Some(Secret::from("a+b")),
        aws_default_region: "eu-west-1".to_owned(),
        ..keys()
    });
    let signed = session
        .unwrap()
        .at("s3://my.pictures//a.jpg", at(0))
        .unwrap()
        .into_owned();
    assert!(
        signed.starts_with("https://s3.eu-west-1.amazonaws.com/my.pictures/a.jpg?"),
        "{signed}"
    );
    assert!(signed.contains("X-Amz-Security-Token=a%2Bb"), "{signed}");
}

#[test]
fn other_addresses_and_those_without_keys_stay_as_they_are() {
    let addresses = SignedAddresses::new(keys()).unwrap();
    for url in [
        "https://example.com/a.jpg",
        "/data/upload/1/a.jpg",
        "gs://bucket/a.jpg",
    ] {
        assert_eq!(addresses.of(url).unwrap(), url);
    }
    let empty = S3Args {
        aws_access_key_id: Some(" ".to_owned()),
        ..S3Args::default()
    };
    let url = "s3://pictures/a.jpg";
    assert_eq!(SignedAddresses::new(empty).unwrap().of(url).unwrap(), url);
    for url in ["s3://", "s3://pictures", "s3://pictures/", "s3:///a.jpg"] {
        let error = addresses.of(url).unwrap_err().to_string();
        assert!(error.contains("names no object"), "{error}");
    }
    let half = S3Args {
        aws_secret_access_key: None,
        ..keys()
    };
    let error = SignedAddresses::new(half).unwrap_err().to_string();
    assert!(error.contains("AWS_SECRET_ACCESS_KEY is not"), "{error}");
}

#[test]
fn images_in_a_bucket_are_labelled() {
    let picture = fs::read(fixture("large.png")).unwrap();
    let store = MockService::start(move |request| {
        match (request.path(), request.query("X-Amz-Signature")) {
            ("/pictures/a/large.png", Some(_)) => Answer::bytes("image/png", picture.clone()),
            (_, Some(_)) => Answer::status(404),
            _ => Answer::status(403),
        }
    });
    let addresses = SignedAddresses::new(S3Args {
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
        json!({ "image": "s3://pictures/a/large.png" }),
        json!({ "image": "s3://pictures/missing.png" }),
        json!({ "image": "s3://pictures" }),
        json!({ "image": "s3://pictures/a/large.png" }),
    ];
    let results = support::results(&client, config, &tasks);
    assert!(!results[0]["result"].as_array().unwrap().is_empty());
    assert_eq!(results[3]["result"], results[0]["result"]);
    for (result, message) in [(&results[1], "404"), (&results[2], "names no object")] {
        let error = result["error"].as_str().unwrap();
        assert!(error.contains(message), "{error}");
        assert!(!error.contains("Signature"), "{error}");
    }
    assert_eq!(store.received_at("/pictures/a/large.png").len(), 1);
}

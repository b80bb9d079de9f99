//! Presigned addresses of objects in S3.

use std::time::{Duration, SystemTime};

use label_studio_services::{
    Secret,
    aws::{AccessKeyArgs, PresignedUrls, S3Args},
};

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

/// 24 May 2013, some time after midnight.
fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600 + seconds)
}

#[test]
fn objects_get_addresses_that_anybody_can_fetch() {
    let addresses = PresignedUrls::new(&keys()).unwrap();
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

    let session = PresignedUrls::new(&S3Args {
        access_key: AccessKeyArgs {
            aws_session_token: Some(Secret::from("a+b")),
            ..keys().access_key
        },
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
    let addresses = PresignedUrls::new(&keys()).unwrap();
    for url in [
        "https://example.com/a.jpg",
        "/data/upload/1/a.jpg",
        "gs://bucket/a.jpg",
    ] {
        assert_eq!(addresses.of(url).unwrap(), url);
    }
    let empty = S3Args {
        access_key: AccessKeyArgs {
            aws_access_key_id: Some(" ".to_owned()),
            ..AccessKeyArgs::default()
        },
        ..S3Args::default()
    };
    let url = "s3://pictures/a.jpg";
    assert_eq!(PresignedUrls::new(&empty).unwrap().of(url).unwrap(), url);
    for url in ["s3://", "s3://pictures", "s3://pictures/", "s3:///a.jpg"] {
        let error = addresses.of(url).unwrap_err().to_string();
        assert!(error.contains("names no object"), "{error}");
    }
    let half = S3Args {
        access_key: AccessKeyArgs {
            aws_secret_access_key: None,
            ..keys().access_key
        },
        ..keys()
    };
    let error = PresignedUrls::new(&half).unwrap_err().to_string();
    assert!(error.contains("AWS_SECRET_ACCESS_KEY is not"), "{error}");
}

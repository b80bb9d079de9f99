//! Signatures are those of Amazon's examples and of Amazon's own library.

use std::time::{Duration, SystemTime};

use label_studio_services::aws::{
    Credentials, S3Request, Signer, Timestamp, encode_path, encode_query, sha256_hex,
};
use serde_json::Value;
use url::Url;

const BOTOCORE: &str = include_str!("vectors/botocore_signatures.json");

fn at(seconds: u64) -> Timestamp {
    Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    &headers.iter().find(|(known, _)| known == name).unwrap().1
}

/// The examples of "Authenticating Requests: Using the Authorization Header" and "... Using Query Parameters".
#[test]
fn signatures_are_those_of_the_published_examples() {
    let credentials = Credentials {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
        session_token: None,
    };
    let signer = Signer {
        credentials: &credentials,
        region: "us-east-1",
    };
    // 24 May 2013, 00:00:00.
    let now = at(1_369_353_600);
    let url =
        |path: &str| Url::parse(&format!("https://examplebucket.s3.amazonaws.com/{path}")).unwrap();
    let date = ("Date", "Fri, 24 May 2013 00:00:00 GMT");
    let reduced = ("x-amz-storage-class", "REDUCED_REDUNDANCY");
    for (method, path, headers, body, signature) in [
        (
            "GET",
            "test.txt",
            vec![("Range", "bytes=0-9")],
            "",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT",
            "test%24file.text",
            vec![date, reduced],
            "Welcome to Amazon S3.",
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            "GET",
            "?lifecycle",
            vec![],
            "",
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "GET",
            "?max-keys=2&prefix=J",
            vec![],
            "",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ] {
        let sent = signer.signed_headers(
            &S3Request {
                method,
                url: &url(path),
                headers: &headers,
                body: body.as_bytes(),
            },
            &now,
        );
        let authorization = header(&sent, "authorization");
        assert!(
            authorization.ends_with(&format!("Signature={signature}")),
            "{path}: {authorization}"
        );
    }
    let presigned = signer.presigned_get(&url("test.txt"), 86400, &now);
    assert_eq!(
        presigned.as_str(),
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z\
         &X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
         &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
}

#[test]
fn signatures_are_those_of_amazons_library() {
    let vectors: Value = serde_json::from_str(BOTOCORE).unwrap();
    let now = at(vectors["time"].as_u64().unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for case in vectors["cases"].as_array().unwrap() {
        let credentials = Credentials {
            access_key_id: text(&vectors["key"]),
            secret_access_key: text(&vectors["secret"]).into(),
            session_token: case["session_token"].as_str().map(Into::into),
        };
        let signer = Signer {
            credentials: &credentials,
            region: "us-east-1",
        };
        let url = Url::parse(case["url"].as_str().unwrap()).unwrap();
        let headers: Vec<_> = case["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        let body: Vec<u8> = serde_json::from_value(case["body"].clone()).unwrap();
        let sent = signer.signed_headers(
            &S3Request {
                method: "PUT",
                url: &url,
                headers: &headers,
                body: &body,
            },
            &now,
        );
        assert_eq!(
            header(&sent, "authorization"),
            case["authorization"],
            "{}",
            case["name"]
        );
        assert_eq!(header(&sent, "x-amz-content-sha256"), sha256_hex(&body));
        let pairs = |url: &Url| {
            let mut pairs: Vec<_> = url
                .query_pairs()
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect();
            pairs.sort_unstable();
            pairs
        };
        let expected = Url::parse(case["presigned"].as_str().unwrap()).unwrap();
        assert_eq!(
            pairs(&signer.presigned_get(&url, 3600, &now)),
            pairs(&expected),
            "{}",
            case["name"]
        );
    }
}

#[test]
fn names_are_encoded_as_signatures_want_them() {
    assert_eq!(
        encode_path("a b/é+(x)=!'~.mp3"),
        "a%20b/%C3%A9%2B%28x%29%3D%21%27~.mp3"
    );
    assert_eq!(encode_query("a/b"), "a%2Fb");
}

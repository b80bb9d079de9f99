//! From a typed text to audio in the task.

mod mock;

use std::io::Write as _;

use deepgram::secure_file_name;
use label_studio_ml::{Value, json, serde_json};
use label_studio_services::aws::profile_credentials;
use label_studio_testing::{Answer, check_prediction, check_repeater};
use mock::{CONFIG, Stage, answer, body};

const VECTORS: &str = include_str!("vectors/deepgram.json");
const WHOAMI: &str = "GET /api/current-user/whoami";
const FILE: &str = "/s3/test-bucket/tts/123_user-7_9053f9be389e.mp3";

/// Everything answers as it should.
fn start(flags: &[&str]) -> Stage {
    Stage::with(flags, answer)
}

#[test]
fn names_are_made_safe_as_recorded() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let recorded = vectors["secure_filename"].as_array().unwrap();
    for case in recorded {
        assert_eq!(
            secure_file_name(case["in"].as_str().unwrap()),
            case["out"],
            "{case}"
        );
    }
    // Recorded from werkzeug 3.1.
    for (name, safe) in [
        ("Ⅷ ﬁ.txt", "VIII_fi.txt"),
        ("a\tb\nc", "a_b_c"),
        ("___x___", "x"),
        ("..", ""),
        ("日本", ""),
        ("ñandú/..\\..", "nandu"),
        ("a%2Fb", "a2Fb"),
        ("-rf *", "-rf"),
        ("x\u{a0}y", "x_y"),
        ("½", "12"),
    ] {
        assert_eq!(secure_file_name(name), safe, "{name:?}");
    }
}

#[test]
fn a_text_typed_into_an_entry_of_a_repeater_goes_into_its_entry_of_the_list() {
    let stage = start(&[]);
    check_repeater(&stage.client, &body("Hello Deepgram"));
    let received = stage.service.received();
    let patch = received.last().unwrap().json();
    let pages = &patch["data"]["pages"];
    assert_eq!(
        pages[0],
        json!({ "audio": "", "text": "", "speaker": "Ann" })
    );
    assert_eq!(
        (&pages[1]["text"], &pages[1]["speaker"]),
        (&json!("Hello Deepgram"), &json!("Ann"))
    );
    assert!(
        pages[1]["audio"]
            .as_str()
            .unwrap()
            .starts_with("https://test-bucket.s3"),
        "{patch}"
    );
}

#[test]
fn what_was_typed_is_spoken_stored_and_put_into_the_task() {
    let stage = start(&["--aws-session-token", "session-1"]);
    let answer = stage.client.predict(&body("Hello Deepgram"));
    let prediction = &answer["results"][0];
    check_prediction(CONFIG, prediction);
    assert_eq!(prediction["model_version"], "0.0.1");
    assert_eq!(prediction["result"][0]["from_name"], "text");
    assert_eq!(prediction["result"][0]["type"], "textarea");
    assert_eq!(
        prediction["result"][0]["value"],
        json!({ "text": ["Hello Deepgram"] })
    );
    assert_eq!(
        stage.asked(),
        [
            "POST /v1/speak".to_owned(),
            format!("PUT {FILE}"),
            "PATCH /api/tasks/123/".to_owned()
        ]
    );

    let [speak, put, patch] = &stage.service.received()[..] else {
        panic!()
    };
    assert_eq!(
        speak.target, "/v1/speak",
        "no parameters unless some are set"
    );
    assert_eq!(speak.header("authorization"), Some("Token deepgram-key"));
    assert_eq!(speak.header("content-type"), Some("application/json"));
    assert_eq!(speak.json(), json!({ "text": "Hello Deepgram" }));
    for (name, value) in [
        ("content-type", "audio/mpeg"),
        ("x-amz-acl", "public-read"),
        ("cache-control", "public, max-age=31536000"),
        ("x-amz-security-token", "session-1"),
    ] {
        assert_eq!(put.header(name), Some(value), "{name}");
    }
    let authorization = put.header("authorization").unwrap();
    let signed = "SignedHeaders=cache-control;content-type;host;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-security-token";
    assert!(
        authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
            && authorization.contains(signed),
        "{authorization}"
    );
    assert_eq!(put.text(), "ID3 the audio");
    let url = "https://test-bucket.s3.us-east-1.amazonaws.com/tts/123_user-7_9053f9be389e.mp3";
    assert_eq!(
        patch.json(),
        json!({ "data": { "text": "Hello Deepgram", "audio": url, "speaker": "Ann" } })
    );
    assert_eq!(
        patch.header("authorization"),
        Some("Token 0123456789abcdef")
    );
}

#[test]
fn names_can_be_those_of_the_original() {
    let stage = start(&["--s3-hashed-names", "0"]);
    stage.client.predict(&body("Hello Deepgram"));
    assert_eq!(stage.asked()[1], "PUT /s3/test-bucket/tts/123_user-7.mp3");
    let audio = &stage.service.received()[2].json()["data"]["audio"];
    assert_eq!(
        *audio,
        "https://test-bucket.s3.us-east-1.amazonaws.com/tts/123_user-7.mp3"
    );
}

#[test]
fn without_a_typed_text_nothing_is_asked() {
    let stage = start(&[]);
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let nothing = vectors["test_mode_predict"]["response"].clone();
    for context in [
        json!(null),
        json!({}),
        json!({ "result": [] }),
        json!({ "user_id": 1 }),
        json!({ "result": [{ "from_name": "other", "value": { "text": ["x"] } }] }),
    ] {
        let mut request = body("x");
        request["params"]["context"] = context;
        assert_eq!(stage.client.predict(&request), nothing);
    }
    let request = json!({ "tasks": [{ "id": 1, "data": {} }], "label_config": "<View></View>", "project": "1.1234567890" });
    assert_eq!(stage.client.predict(&request), nothing);
    assert!(stage.asked().is_empty());
}

#[test]
fn everything_is_checked_before_anything_is_paid_for() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let status = &vectors["missing_user_id"]["status"];
    for (pointer, value, expected) in [
        ("/params/context/user_id", None, "user_id"),
        ("/params/context/user_id", Some(json!("///")), "user_id"),
        ("/params/context/user_id", Some(json!([1])), "user_id"),
        ("/tasks/0/id", None, "the task has no id"),
        (
            "/params/context/result/0/value/text/0",
            Some(json!(" ")),
            "no text",
        ),
        (
            "/params/context/result/0/value/text/0",
            Some("ä".repeat(2001).into()),
            "2001 characters",
        ),
    ] {
        let stage = start(&[]);
        let mut request = body("Hello");
        if let Some(value) = value {
            *request.pointer_mut(pointer).unwrap() = value;
        } else {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            let parent = request.pointer_mut(parent).unwrap();
            parent.as_object_mut().unwrap().remove(name);
        }
        let (got, answer) = stage.client.post("/predict", &request);
        assert_eq!(got, *status);
        assert!(
            answer["detail"].as_str().unwrap().contains(expected),
            "{answer}"
        );
        let paid: Vec<String> = stage.asked();
        assert!(paid.iter().all(|asked| asked == WHOAMI), "{paid:?}");
    }
}

#[test]
fn without_a_user_id_the_owner_of_the_key_counts() {
    let stage = Stage::with(&[], |request| match request.path() {
        "/api/current-user/whoami" => Answer::json(&json!({ "id": 5, "email": "a@b.c" })),
        _ => answer(request),
    });
    let mut request = body("Hello Deepgram");
    let context = request["params"]["context"].as_object_mut().unwrap();
    context.remove("user_id");
    stage.client.predict(&request);
    let asked = stage.asked();
    assert_eq!(asked[0], WHOAMI);
    assert!(
        asked[2].starts_with("PUT /s3/test-bucket/tts/123_5_"),
        "{asked:?}"
    );
}

#[test]
fn missing_settings_are_named_when_they_are_needed() {
    for (flag, name) in [
        ("--deepgram-api-key", "DEEPGRAM_API_KEY"),
        ("--s3-bucket", "S3_BUCKET"),
        ("--aws-default-region", "AWS_DEFAULT_REGION"),
        ("--aws-secret-access-key", "AWS_SECRET_ACCESS_KEY"),
    ] {
        let stage = start(&[flag, ""]);
        let (status, answer) = stage.client.post("/predict", &body("Hello"));
        assert_eq!(status, 500);
        assert!(
            answer["detail"].as_str().unwrap().contains(name),
            "{answer}"
        );
        let mut request = body("Hello");
        request["params"] = json!({});
        assert_eq!(stage.client.predict(&request), json!({ "results": [] }));
        assert!(stage.asked().is_empty());
    }
}

#[test]
fn test_mode_asks_nobody() {
    for flag in ["1", "true", "TRUE", "True", "yes", "on"] {
        let stage = start(&[
            "--test-mode",
            flag,
            "--deepgram-api-key",
            "",
            "--aws-access-key-id",
            "",
        ]);
        let answer = stage.client.predict(&body("Hello Deepgram"));
        assert_eq!(
            answer["results"][0]["result"][0]["value"]["text"][0],
            "Hello Deepgram"
        );
        assert!(stage.asked().is_empty());
    }
    let stage = start(&["--test-mode", "off"]);
    stage.client.predict(&body("Hello Deepgram"));
    assert_eq!(stage.asked().len(), 3);
}

#[test]
fn voices_encodings_and_stores_can_be_chosen() {
    let stage = Stage::with(
        &[
            "--deepgram-model",
            "aura-2-thalia-en",
            "--deepgram-encoding",
            "linear16",
            "--deepgram-container",
            "wav",
            "--deepgram-sample-rate",
            "24000",
            "--deepgram-bit-rate",
            "48000",
            "--deepgram-speed",
            "1.2",
            "--s3-acl",
            "",
            "--s3-sse",
            "AES256",
            "--s3-url-style",
            "s3",
            "--s3-folder",
            "/a b/",
        ],
        |request| match request.path() {
            "/v1/speak" => Answer::bytes("audio/wav", "RIFF"),
            _ => answer(request),
        },
    );
    stage.client.predict(&body("Hello"));
    let received = stage.service.received();
    assert_eq!(
        received[0].target,
        "/v1/speak?model=aura-2-thalia-en&encoding=linear16&container=wav&sample_rate=24000&bit_rate=48000&speed=1.2"
    );
    let (start, extension) = received[1].path().rsplit_once('.').unwrap();
    assert!(
        start.starts_with("/s3/test-bucket/a%20b/123_user-7_"),
        "{start}"
    );
    assert_eq!(extension, "wav");
    assert_eq!(received[1].header("x-amz-acl"), None);
    assert_eq!(
        received[1].header("x-amz-server-side-encryption"),
        Some("AES256")
    );
    assert_eq!(received[1].header("content-type"), Some("audio/wav"));
    let audio = received[2].json()["data"]["audio"].clone();
    assert!(
        audio
            .as_str()
            .unwrap()
            .starts_with("s3://test-bucket/a b/123_user-7_"),
        "{audio}"
    );
}

#[test]
fn addresses_can_be_presigned() {
    let stage = start(&["--s3-url-style", "presigned", "--s3-presign-seconds", "60"]);
    stage.client.predict(&body("Hello"));
    let audio = stage.service.received()[2].json()["data"]["audio"].clone();
    let audio = audio.as_str().unwrap();
    assert!(
        audio.contains("X-Amz-Expires=60&") && audio.contains("X-Amz-Signature="),
        "{audio}"
    );
    assert!(!audio.contains("aws-secret"));
}

#[test]
fn fields_are_those_of_the_label_config() {
    let stage = start(&[]);
    let mut request = body("Hello");
    request["label_config"] = CONFIG
        .replace("$text", "$script")
        .replace("$audio", "$sound")
        .into();
    request["tasks"][0]["data"] = json!({ "script": "old", "sound": "", "text": "stays" });
    stage.client.predict(&request);
    let data = stage.service.received()[2].json()["data"].clone();
    assert_eq!(
        (&data["script"], &data["text"]),
        (&json!("Hello"), &json!("stays"))
    );
    assert!(data["sound"].as_str().unwrap().starts_with("https://"));
}

#[test]
fn the_text_is_that_of_the_text_area() {
    let stage = start(&[]);
    let mut request = body("Hello");
    let regions = request
        .pointer_mut("/params/context/result")
        .unwrap()
        .as_array_mut()
        .unwrap();
    regions.insert(
        0,
        json!({ "from_name": "notes", "value": { "text": ["not this"] } }),
    );
    stage.client.predict(&request);
    assert_eq!(stage.service.received()[0].json()["text"], "Hello");
    // Without such a control the first region counts, as in the original.
    request["label_config"] = "<View></View>".into();
    assert_eq!(stage.client.predict(&request), json!({ "results": [] }));
    assert_eq!(stage.service.received()[3].json()["text"], "not this");
}

#[test]
fn profiles_of_a_credentials_file_are_read() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"[default]\naws_access_key_id=A\naws_secret_access_key = B\n\n[ other ]\n# c\naws_access_key_id = C\naws_secret_access_key = D=\naws_session_token=E\n").unwrap();
    let read = |profile| profile_credentials(file.path(), profile);
    let default = read("default").unwrap();
    assert_eq!(
        (default.access_key_id.as_str(), default.session_token),
        ("A", None)
    );
    let other = read("other").unwrap();
    assert_eq!(
        (
            other.access_key_id.as_str(),
            other.secret_access_key.expose()
        ),
        ("C", "D=")
    );
    assert_eq!(other.session_token.unwrap().expose(), "E");
    assert!(read("none").unwrap_err().to_string().contains("[none]"));
    let path = file.path().to_str().unwrap();
    let stage = start(&[
        "--aws-access-key-id",
        "",
        "--aws-secret-access-key",
        "",
        "--aws-shared-credentials-file",
        path,
    ]);
    stage.client.predict(&body("Hello"));
    assert!(
        stage.service.received()[1]
            .header("authorization")
            .unwrap()
            .contains("Credential=A/")
    );
}

//! The conversation with a Docling service.

mod mock;

use std::{
    io::{Cursor, Write as _},
    sync::atomic::{AtomicUsize, Ordering},
};

use label_studio_ml::{Value, json};
use label_studio_testing::{Answer, Received, check_backend};
use mock::{Stage, document, in_body};
use zip::{ZipWriter, write::SimpleFileOptions};

const SUBMIT: &str = "/t/v1/convert/file/async";
const POLL: &str = "/t/v1/status/poll/job-1";
const RESULT: &str = "/t/v1/result/job-1";

fn nothing(_: &Received) -> Option<Answer> {
    None
}

/// Answers a path instead of the service.
fn at(path: &'static str, answer: Answer) -> impl Fn(&Received) -> Option<Answer> {
    move |request| (request.path() == path).then(|| answer.clone())
}

fn prediction(answer: &Value) -> &Value {
    &answer["results"][0]
}

#[test]
fn a_file_is_sent_waited_for_and_turned_into_regions() {
    let stage = Stage::start(&[], nothing);
    let answer = stage.client.predict(&stage.body());
    let prediction = prediction(&answer);
    let result = prediction["result"].as_array().unwrap();
    assert_eq!(result.len(), 15);
    assert_eq!(prediction["score"], 0.65);
    assert!(
        prediction["model_version"]
            .as_str()
            .unwrap()
            .starts_with("DoclingService-")
    );
    // Page 1, and page 2 with its own size.
    assert_eq!(result[0]["original_width"], 612);
    assert_eq!(
        (&result[9]["item_index"], &result[0]["item_index"]),
        (&json!(1), &json!(0))
    );
    assert!(result.iter().all(|region| region["image_rotation"] == 0));

    let poll = format!("GET {POLL}?wait=5");
    assert_eq!(
        stage.asked(),
        [format!("POST {SUBMIT}"), poll, format!("GET {RESULT}")]
    );
    let received = stage.service.received();
    let submit = received
        .iter()
        .find(|request| request.path() == SUBMIT)
        .unwrap();
    for request in received
        .iter()
        .filter(|request| request.path().starts_with("/t/v1"))
    {
        assert_eq!(request.header("x-api-key"), Some("docling-key"));
        assert_eq!(
            request.header("accept-docling-document-version"),
            Some("1.10.0")
        );
    }
    let content_type = submit.header("content-type").unwrap();
    let (kind, boundary) = content_type.split_once("; boundary=").unwrap();
    assert_eq!(kind, "multipart/form-data");
    let field = |name: &str, value: &str| {
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        )
    };
    let expected = [
        field("to_formats", "md"),
        field("to_formats", "json"),
        field("target_type", "presigned_url"),
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"doc.pdf\"\r\n\
             Content-Type: application/pdf\r\n\r\n%PDF-1.4 a document\r\n--{boundary}--\r\n"
        ),
    ];
    assert_eq!(submit.text(), expected.concat());
}

#[test]
fn an_address_can_be_left_to_the_service() {
    let flags = [
        "--docling-convert-remote-url-only",
        "true",
        "--docling-convert-options-json",
        r#"{"do_ocr": false}"#,
        "--docling-convert-source-headers-json",
        r#"{"X-Tenant": "t1", "X-N": 5}"#,
    ];
    let stage = Stage::start(&flags, nothing);
    let mut body = stage.body();
    body["tasks"][0]["data"]["image"] = "https://example.com/a.pdf?x=1".into();
    stage.client.predict(&body);
    let submit = &stage.service.received_at("/t/v1/convert/source/async")[0];
    assert_eq!(
        submit.json(),
        json!({
            "options": { "to_formats": ["md", "json"], "do_ocr": false },
            "sources": [{ "kind": "http", "url": "https://example.com/a.pdf?x=1", "headers": {} }],
            "target": { "kind": "presigned_url" },
        })
    );
    assert_eq!(
        (submit.header("x-tenant"), submit.header("x-n")),
        (Some("t1"), Some("5"))
    );
    body["tasks"][0]["data"]["image"] = "https://example.com/a.ZIP".into();
    let (status, answer) = stage.client.post("/predict", &body);
    assert_eq!(status, 500);
    assert!(
        answer["detail"].as_str().unwrap().contains("archives"),
        "{answer}"
    );
}

#[test]
fn services_without_storage_put_the_document_into_the_answer() {
    let details = [
        json!("Presigned output requires artifact storage to be configured."),
        json!([{ "type": "literal_error", "loc": ["body", "target_type"], "msg": "Input should be 'inbody'", "input": "presigned_url" }]),
    ];
    for (status, detail) in [400, 422].into_iter().zip(details) {
        let stage = Stage::start(&[], move |request| {
            let is_presigned = request.path() == SUBMIT && request.text().contains("presigned_url");
            is_presigned.then(|| Answer::json(&json!({ "detail": detail })).with_status(status))
        });
        let answer = stage.client.predict(&stage.body());
        assert_eq!(prediction(&answer)["result"].as_array().unwrap().len(), 15);
        let submits = stage.service.received_at(SUBMIT);
        assert_eq!(submits.len(), 2);
        assert!(
            submits[1]
                .text()
                .contains("name=\"target_type\"\r\n\r\ninbody\r\n")
        );
    }
    let stage = Stage::start(
        &[],
        at(
            SUBMIT,
            Answer::json(&json!({ "detail": "no such option" })).with_status(422),
        ),
    );
    assert_eq!(stage.client.post("/predict", &stage.body()).0, 500);
    assert_eq!(stage.service.received_at(SUBMIT).len(), 1);
}

fn bundle(name: &str) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [
        ("artifacts/x.json", "{}".to_owned()),
        ("doc.md", "# Title".to_owned()),
        (name, document().to_string()),
    ] {
        archive
            .start_file(name, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(content.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn documents_are_fetched_without_the_key() {
    for (kind, content) in [
        ("json", document().to_string().into_bytes()),
        ("resource_bundle", bundle("doc.json")),
    ] {
        let stage = Stage::start(&[], move |request| match request.path() {
            RESULT => {
                let uri = format!(
                    "http://{}/artifact?signature=s",
                    request.header("host").unwrap()
                );
                Some(Answer::json(&json!({ "documents": [{
                    "source_index": 0, "source_uri": "doc.pdf", "filename": "doc.pdf", "status": "success", "errors": [],
                    "artifacts": [{ "artifact_type": "markdown", "mime_type": "text/markdown", "uri": "http://127.0.0.1:1/" },
                                  { "artifact_type": kind, "mime_type": "application/octet-stream", "uri": uri }],
                }] })))
            }
            "/artifact" => Some(Answer::bytes("application/octet-stream", content.clone())),
            _ => None,
        });
        let answer = stage.client.predict(&stage.body());
        assert_eq!(
            prediction(&answer)["result"].as_array().unwrap().len(),
            15,
            "{kind}"
        );
        let fetched = &stage.service.received_at("/artifact")[0];
        assert_eq!(fetched.header("x-api-key"), None);
    }
}

#[test]
fn bundles_without_a_document_are_errors() {
    for content in [b"no zip".to_vec(), bundle("nested/doc.json")] {
        let stage = Stage::start(&[], move |request| match request.path() {
            RESULT => {
                let uri = format!("http://{}/artifact", request.header("host").unwrap());
                Some(Answer::json(
                    &json!({ "documents": [{ "status": "success", "artifacts": [{ "artifact_type": "resource_bundle", "uri": uri }] }] }),
                ))
            }
            "/artifact" => Some(Answer::bytes("application/zip", content.clone())),
            _ => None,
        });
        let (status, answer) = stage.client.post("/predict", &stage.body());
        assert_eq!(status, 500);
        assert!(
            answer["detail"].as_str().unwrap().contains("bundle"),
            "{answer}"
        );
    }
}

#[test]
fn a_document_that_unpacks_to_a_large_one_is_refused() {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    archive.start_file("doc.json", options).unwrap();
    archive.write_all(&vec![b' '; 3 << 20]).unwrap();
    let bundle = archive.finish().unwrap().into_inner();
    assert!(bundle.len() < 1 << 16, "{} bytes", bundle.len());
    for (kind, content) in [("resource_bundle", bundle), ("json", vec![b' '; 3 << 20])] {
        let stage = Stage::start(
            &["--docling-max-result-mb", "2"],
            move |request| match request.path() {
                RESULT => {
                    let uri = format!("http://{}/artifact", request.header("host").unwrap());
                    let artifact = json!({ "artifact_type": kind, "uri": uri });
                    let document = json!({ "status": "success", "artifacts": [artifact] });
                    Some(Answer::json(&json!({ "documents": [document] })))
                }
                "/artifact" => Some(Answer::bytes("application/zip", content.clone())),
                _ => None,
            },
        );
        let (status, answer) = stage.client.post("/predict", &stage.body());
        assert_eq!(status, 500);
        let detail = answer["detail"].as_str().unwrap();
        let expected = "larger than 2097152 bytes (DOCLING_MAX_RESULT_MB)";
        assert!(detail.contains(expected), "{kind}: {detail}");
    }
}

#[test]
fn label_studio_stores_the_rectangles() {
    let labels = [
        "section_header",
        "text",
        "picture",
        "table",
        "list_item",
        "caption",
        "checkbox_selected",
        "footnote",
        "page_header",
        "page_footer",
        "key",
        "value",
        "column_header",
        "row_header",
        "row_section",
        "table_cell",
        "table_merged_cell",
    ];
    let labels = labels.map(|label| format!("<Label value=\"{label}\"/>"));
    let config = format!(
        "<View><Image name=\"image\" value=\"$image\"/><RectangleLabels name=\"doclang\" toName=\"image\">{}\
         </RectangleLabels></View>",
        labels.concat()
    );
    let flags = [
        "--docling-to-name",
        "image",
        "--docling-predict-reading-order",
        "false",
        "--docling-include-relations",
        "false",
    ];
    let stage = Stage::start(&flags, nothing);
    let task = stage.body()["tasks"][0].clone();
    let predictions = check_backend(&stage.client, &config, &[task]);
    assert!(!predictions[0]["result"].as_array().unwrap().is_empty());
}

#[test]
fn a_conversion_that_takes_longer_goes_on() {
    let n = AtomicUsize::new(0);
    let stage = Stage::start(&["--service-timeout", "3"], move |request| {
        if request.path() != POLL {
            return None;
        }
        match n.fetch_add(1, Ordering::Relaxed) {
            0 => Some(Answer::json(
                &json!({ "task_id": "job-1", "task_status": "started" }),
            )),
            1 => Some(Answer::hang()),
            _ => None,
        }
    });
    let (status, answer) = stage.client.post("/predict", &stage.body());
    assert_eq!(status, 500);
    assert!(
        answer["detail"]
            .as_str()
            .unwrap()
            .contains("still being converted"),
        "{answer}"
    );
    let answer = stage.client.predict(&stage.body());
    assert_eq!(prediction(&answer)["result"].as_array().unwrap().len(), 15);
    assert_eq!(
        stage.service.received_at(SUBMIT).len(),
        1,
        "the document is not sent again"
    );
    stage.client.predict(&stage.body());
    assert_eq!(
        stage.service.received_at(RESULT).len(),
        1,
        "the document is kept"
    );
}

#[test]
fn a_job_that_the_service_has_forgotten_is_begun_again() {
    let n = AtomicUsize::new(0);
    let stage = Stage::start(&["--service-timeout", "3"], move |request| {
        if request.path() != POLL {
            return None;
        }
        match n.fetch_add(1, Ordering::Relaxed) {
            0 => Some(Answer::hang()),
            1 => Some(Answer::json(&json!({ "detail": "Task not found." })).with_status(404)),
            _ => None,
        }
    });
    assert_eq!(stage.client.post("/predict", &stage.body()).0, 500);
    assert_eq!(stage.client.post("/predict", &stage.body()).0, 200);
    assert_eq!(stage.service.received_at(SUBMIT).len(), 2);
}

#[test]
fn failures_that_pass_are_waited_for() {
    for path in [SUBMIT, POLL, RESULT] {
        for fault in [
            Answer::status(429).with_header("retry-after", "0"),
            Answer::status(500).with_header("retry-after", "0"),
            Answer::json(&in_body()).cut(),
            Answer::hang(),
        ] {
            let n = AtomicUsize::new(0);
            let stage = Stage::start(&["--service-read-timeout", "1.5"], move |request| {
                let is_first = request.path() == path && n.fetch_add(1, Ordering::Relaxed) == 0;
                is_first.then(|| fault.clone())
            });
            let (status, answer) = stage.client.post("/predict", &stage.body());
            assert_eq!(status, 200, "{path}: {answer}");
        }
    }
}

#[test]
fn failures_that_stay_name_the_cause_and_no_key() {
    let failed = |status: &str| json!({ "document": { "json_content": null }, "status": status, "errors": [{ "error_message": "password needed" }] });
    for (path, fault, expected) in [
        (
            SUBMIT,
            Answer::json(&json!({ "detail": "docling-key is no key" })).with_status(401),
            "is no key",
        ),
        (
            SUBMIT,
            Answer::bytes("application/json", "{\"task_id\":"),
            "JSON that was expected",
        ),
        (
            POLL,
            Answer::json(
                &json!({ "task_id": "job-1", "task_status": "failure", "error_message": "cannot open" }),
            ),
            "cannot open",
        ),
        (
            RESULT,
            Answer::json(&failed("failure")),
            "ended with failure: password needed",
        ),
        (
            RESULT,
            Answer::json(&failed("success")),
            "without a document in JSON",
        ),
        (
            RESULT,
            Answer::json(&json!({ "documents": [] })),
            "without a document",
        ),
        (
            RESULT,
            Answer::json(&json!({ "documents": [{ "status": "skipped" }] })),
            "ended with skipped",
        ),
        (
            RESULT,
            Answer::json(&json!({ "documents": [{ "status": "success", "artifacts": [] }] })),
            "neither JSON nor a bundle",
        ),
        (
            RESULT,
            Answer::json(
                &json!({ "document": { "json_content": { "body": 5 } }, "status": "success" }),
            ),
            "not one of Docling's",
        ),
        (RESULT, Answer::huge(3 << 20), "larger than"),
        ("/files/doc.pdf", Answer::status(403), "403"),
    ] {
        let stage = Stage::start(&["--docling-max-result-mb", "2"], at(path, fault));
        let (status, answer) = stage.client.post("/predict", &stage.body());
        let detail = answer["detail"].as_str().unwrap();
        assert_eq!(status, 500, "{answer}");
        assert!(detail.contains(expected), "{path}: {detail}");
        assert!(!detail.contains("docling-key"), "{detail}");
    }
}

#[test]
fn partial_documents_are_taken_and_failing_tasks_lose_no_other() {
    let mut partial = in_body();
    partial["status"] = "partial_success".into();
    let stage = Stage::start(&[], at(RESULT, Answer::json(&partial)));
    let mut body = stage.body();
    let good = body["tasks"][0].clone();
    let mut bad = good.clone();
    bad["data"]["image"] = stage.service.url("/files/missing.pdf").into();
    body["tasks"] = json!([bad, good, { "id": 3, "data": { "title": "no document" } }]);
    let answer = stage.client.predict(&body);
    let results = answer["results"].as_array().unwrap();
    assert!(
        results[0]["error"].as_str().unwrap().contains("404"),
        "{}",
        results[0]
    );
    assert_eq!(results[1]["result"].as_array().unwrap().len(), 15);
    assert_eq!(
        (&results[2]["result"], &results[2]["score"]),
        (&json!([]), &json!(0.0))
    );
}

#[test]
fn flags_shape_the_regions() {
    let flags = [
        "--docling-page-no",
        "2",
        "--docling-predict-reading-order",
        "off",
        "--docling-include-table-structure",
        "No",
        "--docling-include-relations",
        "0",
        "--docling-from-name",
        "a",
        "--docling-to-name",
        "b",
    ];
    let stage = Stage::start(&flags, nothing);
    let answer = stage.client.predict(&stage.body());
    let result = prediction(&answer)["result"].as_array().unwrap();
    assert_eq!(result.len(), 3);
    assert_eq!(
        (&result[0]["from_name"], &result[0]["to_name"]),
        (&json!("a"), &json!("b"))
    );
    assert_eq!(
        (&result[0]["original_width"], &result[0]["original_height"]),
        (&json!(612), &json!(792))
    );
    assert_eq!(result[0].get("item_index"), None, "the task shows one page");
    let odd = [
        "--docling-page-no",
        "two",
        "--docling-predict-reading-order",
        "maybe",
        "--docling-reading-order-level",
        "500",
    ];
    let stage = Stage::start(&odd, nothing);
    let answer = stage.client.predict(&stage.body());
    let result = prediction(&answer)["result"].as_array().unwrap();
    assert_eq!(
        (result.len(), &result[12]["value"]["level"]),
        (15, &json!(100))
    );
}

#[test]
fn versions_of_backend_and_service_name_the_predictions() {
    let stage = Stage::start(
        &[],
        at(
            "/t/version",
            Answer::json(&json!({ "docling-serve": "1.38.2", "docling": "2.143.0" })),
        ),
    );
    let setup = json!({ "project": "1.1", "schema": "<View></View>" });
    let version = stage.client.post("/setup", &setup).1["model_version"].clone();
    assert!(
        version.as_str().unwrap().ends_with("+docling-serve-1.38.2"),
        "{version}"
    );
}

#[test]
fn a_missing_address_is_named_and_nothing_breaks() {
    for (url, expected) in [
        ("", "DOCLING_SERVICE_URL is not set"),
        ("https://YOUR_INSTANCE/v1", "YOUR_INSTANCE"),
        ("nonsense", "DOCLING_SERVICE_URL"),
    ] {
        let stage = Stage::start(&["--docling-service-url", url], nothing);
        let (status, answer) = stage.client.post("/predict", &stage.body());
        assert_eq!(status, 500);
        assert!(
            answer["detail"].as_str().unwrap().contains(expected),
            "{answer}"
        );
        assert_eq!(stage.client.get("/").1["status"], "UP");
        assert_eq!(stage.client.get("/").1["model_class"], "Docling");
    }
}

#[test]
fn names_of_files_cannot_leave_their_line() {
    let stage = Stage::start(&[], |request| {
        request
            .path()
            .starts_with("/files/")
            .then(|| Answer::bytes("application/pdf", "%PDF"))
    });
    let mut body = stage.body();
    body["tasks"][0]["data"]["image"] = stage
        .service
        .url("/files/a%22%0D%0Ax%2F..%2Fb%20c.PNG")
        .into();
    stage.client.predict(&body);
    let text = stage.service.received_at(SUBMIT)[0].text();
    assert!(
        text.contains("name=\"files\"; filename=\"b c.PNG\"\r\nContent-Type: image/png\r\n"),
        "{text}"
    );
    body["tasks"][0]["data"]["image"] = "data:image/jpeg;base64,/9j/".into();
    stage.client.predict(&body);
    let text = stage.service.received_at(SUBMIT)[1].text();
    assert!(
        text.contains("filename=\"document.jpg\"\r\nContent-Type: image/jpeg\r\n"),
        "{text}"
    );
}

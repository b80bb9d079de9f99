//! Ids of requests, in headers and in errors.

use label_studio_ml::{FnModel, testing::TestClient};

fn client() -> TestClient {
    TestClient::new(FnModel::new("Silent"))
}

#[test]
fn an_error_has_the_id_that_the_caller_sent() {
    let headers = [("x-request-id", "trace-1")];
    let (status, answer) = client().send("GET", "/nope", &headers, "");
    assert_eq!((status, &answer["request_id"]), (404, &"trace-1".into()));
}

#[test]
fn a_long_path_is_cut_in_the_answer() {
    let path = format!("/{}", "a".repeat(60_000));
    for method in ["GET", "POST"] {
        let (status, answer) = client().send(method, &path, &[], "");
        let detail = answer["detail"].as_str().unwrap();
        assert_eq!(status, 404);
        assert!(detail.len() < 300, "{}", detail.len());
        assert!(detail.contains("60001 characters"), "{detail}");
    }
}

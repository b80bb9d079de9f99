//! The HTTP layer, against the recorded behaviour of the Python original.

use label_studio_ml::{
    FnModel, Prediction, Predictions, Value, anyhow, json, settings::BasicAuthArgs,
    testing::TestClient,
};

const VECTORS: &str = include_str!("../../../vectors/core_http.json");

/// Cases in which the original is broken, with the status that this server answers and why.
const FIXED: &[(&str, u16, &str)] = &[
    (
        "predict_bad_json",
        400,
        "the caller's fault, not the server's",
    ),
    ("predict_null_params", 200, "null counts as missing"),
    (
        "predict_bad_xml",
        400,
        "the caller's fault, and no traceback",
    ),
    (
        "predict_error_echoes_query",
        400,
        "the caller's fault, and no traceback",
    ),
    (
        "setup_extra_params_object",
        200,
        "Label Studio sends what the user typed",
    ),
    ("setup_int_project", 200, "a number is as clear as a text"),
    ("webhook_no_project", 400, "the caller's fault"),
];

/// Cases whose model can only be written in Python.
const PYTHON_ONLY: &[&str] = &["ret_dict_plain", "fit_unserialisable"];

/// Returns the model that a case of the vectors describes.
fn model(case: &str) -> FnModel {
    let empty = || Prediction::new(Vec::<Value>::new());
    let predictions: anyhow::Result<Predictions> = match case {
        "ret_list" | "ret_mr_min" => Ok([empty()].into_iter().collect()),
        "ret_mr_version" => Ok([
            empty().with_model_version("Q"),
            empty().with_model_version("z"),
        ]
        .into_iter()
        .collect()),
        "ret_mr_nested" => {
            let no_score = Prediction {
                score: None,
                ..empty()
            };
            Ok([vec![empty()], vec![no_score]].into_iter().collect())
        }
        "ret_exc_value" => Err(anyhow::anyhow!("ValueError: boo")),
        "ret_exc_key" => Err(anyhow::anyhow!("KeyError: 'k'")),
        _ => Ok(Predictions::default()),
    };
    let fit_fails = ["fit_index", "fit_assert", "fit_value"].contains(&case);
    let name = if case.starts_with("auth") {
        "P"
    } else {
        "LabelStudioMLBase"
    };
    FnModel::new(name)
        .predict_fn(move |_, _| match &predictions {
            Ok(predictions) => Ok(predictions.clone()),
            Err(error) => Err(anyhow::anyhow!("{error}")),
        })
        .update_fn(move |_, _| {
            if fit_fails {
                Err(anyhow::anyhow!("boo"))
            } else {
                Ok(Value::Null)
            }
        })
}

/// Sends a case's request; a model that answers needs as many tasks as it gives predictions.
fn send(case: &Value) -> (u16, Value) {
    let client = TestClient::new(model(case["name"].as_str().unwrap()));
    let request = &case["request"];
    let mut body = request["json"].clone();
    if let Some(n_results) = case["json"]["results"].as_array().map(Vec::len)
        && body["tasks"].is_array()
    {
        body["tasks"] = vec![json!({ "data": {} }); n_results].into();
    }
    let text = request["body"]
        .as_str()
        .map_or_else(|| body.to_string(), str::to_owned);
    let headers = [("content-type", "application/json")];
    client.send(
        request["method"].as_str().unwrap(),
        request["path"].as_str().unwrap(),
        &headers,
        text,
    )
}

#[test]
fn answers_as_recorded() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let mut n_equal = 0;
    for case in vectors["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        if PYTHON_ONLY.contains(&name) || name.starts_with("auth") {
            continue;
        }
        let (status, answer) = send(case);
        let fixed = FIXED.iter().find(|(fixed, ..)| *fixed == name);
        let expected = fixed.map_or_else(
            || case["status"].as_u64().unwrap(),
            |(_, status, _)| (*status).into(),
        );
        assert_eq!(u64::from(status), expected, "{name}: {answer}");
        if status >= 400 {
            assert_eq!(answer["status"], status, "{name}");
            assert!(!answer["detail"].as_str().unwrap().is_empty(), "{name}");
            assert!(
                answer["request_id"].is_string() && answer.get("result").is_none(),
                "{name}"
            );
        } else if fixed.is_none() {
            let mut expected = case["json"].clone();
            if name == "ret_list" {
                // A plain list is passed through by the original; here every prediction has a
                // version and a score.
                expected = json!({ "results": [{ "model_version": "0.0.1", "result": [], "score": 0.0 }] });
            }
            assert_eq!(answer, expected, "{name}");
            n_equal += 1;
        }
    }
    assert!(n_equal >= 14, "only {n_equal} cases compared");
}

#[test]
fn every_route_has_its_methods() {
    let client = TestClient::new(model("ret_none"));
    for path in [
        "/",
        "/health",
        "/ready",
        "/metrics",
        "/versions",
        "/openapi.json",
    ] {
        assert_eq!(client.send("HEAD", path, &[], "").0, 200, "{path}");
        assert_eq!(client.send("OPTIONS", path, &[], "").0, 200, "{path}");
        assert_eq!(client.send("POST", path, &[], "{}").0, 405, "{path}");
    }
    for path in ["/predict", "/setup", "/webhook"] {
        assert_eq!(client.send("OPTIONS", path, &[], "").0, 200, "{path}");
        assert_eq!(client.get(path).0, 405, "{path}");
        assert_eq!(client.get(&format!("{path}/")).0, 404, "{path}/");
    }
}

#[test]
fn credentials_are_needed_for_everything() {
    let args = label_studio_ml::ServerArgs {
        basic_auth: BasicAuthArgs::new("u", "p"),
        ..Default::default()
    };
    let resources = label_studio_ml::Resources::new(label_studio_ml::store::MemoryStore::default());
    let client = TestClient::with_resources(model("auth_ok"), &args, resources);
    let health = |header: &[(&str, &str)]| client.send("GET", "/health", header, "");
    let (status, answer) = health(&[("authorization", "Basic dTpw")]);
    assert_eq!(
        (status, answer),
        (200, json!({ "model_class": "P", "status": "UP" }))
    );
    for wrong in [
        "Basic dTp4",
        "Basic dQ==",
        "Basic",
        "Bearer dTpw",
        "dTpw",
        "Basic \u{e9}",
    ] {
        let (status, answer) = health(&[("authorization", wrong)]);
        assert_eq!(status, 401, "{wrong}");
        assert!(
            answer["detail"]
                .as_str()
                .unwrap()
                .starts_with("Unauthorized"),
            "{answer}"
        );
    }
    for path in ["/", "/predict", "/nope"] {
        assert_eq!(client.get(path).0, 401, "{path}");
    }
}

#[test]
fn a_project_is_named_by_text_or_any_number() {
    let client = TestClient::new(model("ret_none"));
    for (project, status) in [
        (json!("7.1795448083"), 200),
        (json!(7), 200),
        (json!(7.5), 200),
        (json!(true), 400),
        (json!({}), 400),
    ] {
        let (answered, answer) =
            client.post("/predict", &json!({ "tasks": [], "project": project }));
        assert_eq!(answered, status, "{project}: {answer}");
        if status == 400 {
            let detail = answer["detail"].as_str().unwrap();
            assert!(
                detail.contains("project is neither text nor a number"),
                "{detail}"
            );
        }
    }
}

#[test]
fn a_byte_order_mark_before_the_body_is_ignored() {
    let client = TestClient::new(model("ret_none"));
    let headers = [("content-type", "application/json")];
    for (path, body, status) in [
        ("/predict", r#"{"tasks":[]}"#, 200),
        ("/setup", r#"{"project":"1"}"#, 200),
        ("/webhook", r#"{"action":"PROJECT_UPDATED"}"#, 200),
        ("/predict", "\u{feff}{}", 400),
    ] {
        let (answered, answer) = client.send("POST", path, &headers, format!("\u{feff}{body}"));
        assert_eq!(answered, status, "{path}: {answer}");
    }
}

#[test]
fn errors_of_the_model_reach_the_caller_as_text() {
    let client = TestClient::new(model("ret_exc_value"));
    let (status, answer) = client.post("/predict", &json!({ "tasks": [] }));
    assert_eq!(
        (status, &answer["detail"]),
        (500, &json!("ValueError: boo"))
    );
}

//! JSON that only Python reads, as Label Studio may have stored it.

use label_studio_sdk::{Task, repair_json};
use serde_json::{Value, json};

#[test]
fn what_only_python_reads_becomes_json() {
    let cases = [
        (r#""\ud800""#, r#""\ufffd""#),
        (
            r#""\uDFFFx\ud83d\ude00\ud83d""#,
            r#""\ufffdx\ud83d\ude00\ufffd""#,
        ),
        (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
        (
            r#"[NaN, Infinity,-Infinity , "NaN"]"#,
            r#"[null, null,null , "NaN"]"#,
        ),
        (
            r#"{"a": 1e999, "b": -1E+999, "c": 1e-999, "d": -1.5}"#,
            r#"{"a": null, "b": null, "c": 1e-999, "d": -1.5}"#,
        ),
        (r#"{"\ud800": 1}"#, r#"{"\ufffd": 1}"#),
    ];
    for (text, expected) in cases {
        let repaired = repair_json(text);
        assert_eq!(repaired.as_deref(), Some(expected), "{text}");
        serde_json::from_str::<Value>(expected).unwrap();
    }
}

#[test]
fn nothing_else_is_touched() {
    for text in [
        "",
        "{",
        "-",
        "N",
        "nan",
        r#""\"#,
        r#""\u"#,
        r#""\ud8"#,
        r#""\\ud800""#,
        r#""\ud83d\ude00""#,
        r#"{"a": [1, -2.5e10, true, null, "é NaN \" -Infinity"]}"#,
        "9007199254740993",
    ] {
        assert_eq!(repair_json(text), None, "{text}");
    }
}

#[test]
fn annotations_that_only_python_reads_are_read() {
    let json = r#"{"data": {}, "annotations": [{"result": [
        {"from_name": "l", "to_name": "t", "type": "labels", "value": {"text": "\ud83d", "score": NaN}}]}], "meta": {"a": Infinity}}"#;
    // Only Python reads the words for numbers; halves of pairs are read lazily as they are.
    let task = Task::parse(&repair_json(json).unwrap()).unwrap();
    assert_eq!(task.to_value()["meta"], json!({ "a": null }));
    let lazy = Task::parse(&json.replace("NaN", "1").replace("Infinity", "\"\\udc00\"")).unwrap();
    let annotations = lazy.annotations().unwrap();
    let region = annotations[0].result[0].as_region().unwrap();
    assert_eq!(region.value, json!({ "text": "\u{fffd}", "score": 1 }));
    assert_eq!(lazy.to_value()["meta"], json!({ "a": "\u{fffd}" }));
}

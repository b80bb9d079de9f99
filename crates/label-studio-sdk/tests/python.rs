//! How Python reads and writes values.

use std::borrow::Cow;

use label_studio_sdk::{
    Task,
    python::{self, Literal, fill_template, json_dumps, repair_json, repr},
};
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

fn fill(template: &str) -> String {
    fill_template(template, |name| match name {
        "text" => Some(Cow::Borrowed("{labels} {text}")),
        "labels" => Some(Cow::Borrowed("['a']")),
        _ => None,
    })
}

#[test]
fn only_known_fields_are_replaced_and_what_is_put_in_is_not_looked_at_again() {
    let cases = [
        ("{text}", "{labels} {text}"),
        ("{{text}} {labels}", "{text} ['a']"),
        ("{unknown} {labels}", "{unknown} ['a']"),
        ("{ {labels}", "{ ['a']"),
        ("} {labels}", "} ['a']"),
        ("{labels", "{labels"),
        ("{\"a\": {labels}}", "{\"a\": ['a']}"),
        ("{text.__class__} {labels}", "{text.__class__} ['a']"),
        ("{labels[0]} {0} {}", "{labels[0]} {0} {}"),
        ("{labels!r:>10}", "{labels!r:>10}"),
        ("", ""),
    ];
    for (template, expected) in cases {
        assert_eq!(fill(template), expected, "{template}");
    }
}

#[test]
fn long_templates_take_linear_time() {
    let braces = "{".repeat(1 << 20);
    assert_eq!(fill(&braces).len(), (1 << 20) / 2);
    let odd = format!("}} {braces}");
    assert_eq!(fill(&odd), odd);
}

#[test]
fn values_are_written_as_in_python() {
    let cases = [
        (json!(null), "None"),
        (json!([true, false, 1, 1.5]), "[True, False, 1, 1.5]"),
        (json!([1e-5, 1e16, -3]), "[1e-05, 1e+16, -3]"),
        (
            json!(["it's", "say \"hi\"", "both ' and \""]),
            r#"["it's", 'say "hi"', 'both \' and "']"#,
        ),
        (
            json!(["a\nb", "t\tb\\", "\u{1}", "é"]),
            r"['a\nb', 't\tb\\', '\x01', 'é']",
        ),
        (json!({ "a": [] }), "{'a': []}"),
    ];
    for (value, expected) in cases {
        assert_eq!(repr(&value), expected);
        assert_eq!(python::str(&value), expected);
    }
    assert_eq!(python::str(&json!("it's")), "it's");
    assert_eq!(
        json_dumps(&json!(["é😀", 1e-5, null])),
        r#"["\u00e9\ud83d\ude00", 1e-05, null]"#
    );
}

#[test]
fn python_literals_are_read() {
    let text = |text: &str| Literal::Text(text.to_owned());
    for (source, expected) in [
        ("None", Literal::None),
        (" True ", Literal::Bool(true)),
        ("-1.5e3", Literal::Number(-1500.0)),
        (
            "[640, 480,]",
            Literal::List(vec![Literal::Number(640.0), Literal::Number(480.0)]),
        ),
        ("(1,)", Literal::List(vec![Literal::Number(1.0)])),
        ("[]", Literal::List(Vec::new())),
        (r#""it's""#, text("it's")),
        (
            r"'it\'s \\ \n \xe9 \u00fc \q'",
            text("it's \\ \n \u{e9} \u{fc} \\q"),
        ),
        (
            "{0: 'a b', 'k': None}",
            Literal::Dict(vec![
                (Literal::Number(0.0), text("a b")),
                (text("k"), Literal::None),
            ]),
        ),
    ] {
        assert_eq!(Literal::parse(source).unwrap(), expected, "{source}");
    }
    for source in [
        "",
        "{",
        "[1 2]",
        "'open",
        "{1}",
        "nan",
        "person",
        "1 2",
        "'\\x4'",
        &"[".repeat(10_000),
    ] {
        assert!(Literal::parse(source).is_err(), "{source}");
    }
}

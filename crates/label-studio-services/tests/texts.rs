//! Templates, Python's way of writing values, and prompts.

use std::borrow::Cow;

use label_studio_sdk::LabelConfig;
use label_studio_services::{
    Secret, fill_template, prompt_pair, python_json, python_repr, text_area_lines,
};
use serde_json::json;

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
        assert_eq!(python_repr(&value), expected);
    }
}

#[test]
fn json_is_written_as_in_python_in_the_order_of_the_task() {
    let task =
        r#"{"b": {"z": 1, "a": [true, null]}, "a": "n\u00efve 😀 \"q\" \\ \n\t\u0001\u007f"}"#;
    let value = serde_json::from_str(task).unwrap();
    let expected = r#"{"b": {"z": 1, "a": [true, null]}, "a": "n\u00efve \ud83d\ude00 \"q\" \\ \n\t\u0001\u007f"}"#;
    assert_eq!(python_json(&value), expected);
    assert_eq!(python_repr(&value["b"]), "{'z': 1, 'a': [True, None]}");
}

#[test]
fn the_prompt_is_found_by_the_start_of_its_name() {
    let config = LabelConfig::parse(
        r#"<View><Text name="T" value="$t"/><TextArea name="answer" toName="T"/>
           <TextArea name="Prompt-1" toName="T"/></View>"#,
    )
    .unwrap();
    let pair = prompt_pair(&config, "prompt", &["Text"]).unwrap();
    assert_eq!(
        (pair.control.name.as_str(), pair.object.name.as_str()),
        ("Prompt-1", "T")
    );
    assert!(prompt_pair(&config, "prompt", &["Image"]).is_err());
    let regions = [
        json!(1),
        json!({ "from_name": "other", "value": { "text": ["x"] } }),
        json!({ "from_name": "Prompt-1", "value": { "text": ["a", 1, "b"] } }),
    ];
    assert_eq!(text_area_lines(&regions, "Prompt-1").unwrap(), ["a", "b"]);
    assert_eq!(text_area_lines(&regions, "prompt-1"), None);
}

#[test]
fn secrets_do_not_show() {
    let secret = Secret::from(" sk-1234 \n");
    assert_eq!(secret.expose(), "sk-1234");
    assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "*** Some(***)");
}

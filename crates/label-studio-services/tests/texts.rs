//! Prompts, secrets, and task data in the order of the task.

use label_studio_sdk::{
    LabelConfig,
    python::{json_dumps, repr},
};
use label_studio_services::{Secret, prompt_pair, text_area_lines};
use serde_json::json;

#[test]
fn json_is_written_as_in_python_in_the_order_of_the_task() {
    let task =
        r#"{"b": {"z": 1, "a": [true, null]}, "a": "n\u00efve 😀 \"q\" \\ \n\t\u0001\u007f"}"#;
    let value = serde_json::from_str(task).unwrap();
    let expected = r#"{"b": {"z": 1, "a": [true, null]}, "a": "n\u00efve \ud83d\ude00 \"q\" \\ \n\t\u0001\u007f"}"#;
    assert_eq!(json_dumps(&value), expected);
    assert_eq!(repr(&value["b"]), "{'z': 1, 'a': [True, None]}");
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

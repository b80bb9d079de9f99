//! Label configs with a `Repeater`, expanded for a task.

use label_studio_sdk::{LabelConfig, LabelConfigError};
use serde_json::{Map, Value, json};

const PAGES: &str = r#"<?xml version="1.0"?>
<View><Header value="all"/><Repeater on="$images" indexFlag="{{idx}}" mode="pagination">
  <Image name="page_{{idx}}" value="$images[{{idx}}].url"/>
  <RectangleLabels name="labels_{{idx}}" toName="page_{{idx}}"><Label value="A"/></RectangleLabels>
</Repeater><Choices name="kind" toName="page_0"><Choice value="x"/></Choices></View>"#;

fn data(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn names(config: &LabelConfig) -> Vec<(String, String)> {
    let pairs = config.controls().iter();
    pairs
        .map(|control| (control.name.clone(), control.to_name.join(",")))
        .collect()
}

fn pair(control: &str, object: &str) -> (String, String) {
    (control.to_owned(), object.to_owned())
}

#[test]
fn every_entry_of_the_list_gets_tags_of_its_own() {
    let config = LabelConfig::parse(PAGES).unwrap();
    assert!(config.has_repeaters());
    let data = data(&json!({ "images": [{ "url": "a.png" }, { "url": "b.png" }] }));
    let expanded = config.for_task(&data).unwrap();
    assert_eq!(
        names(&expanded),
        [
            pair("labels_0", "page_0"),
            pair("labels_1", "page_1"),
            pair("kind", "page_0"),
        ]
    );
    let control = expanded.control("labels_1").unwrap();
    let object = expanded.objects_of(control).next().unwrap();
    assert_eq!(object.value_in(&data), Some(&json!("b.png")));
    let region = control
        .label("A")
        .fields(data_of_rectangle())
        .build()
        .unwrap();
    assert_eq!(
        (&*region.from_name, &*region.to_name),
        ("labels_1", "page_1")
    );
    assert_eq!(control.labels, ["A"]);
    assert!(!expanded.has_repeaters());
    assert_eq!(expanded.validate(), [] as [&str; 0]);
}

fn data_of_rectangle() -> Map<String, Value> {
    data(&json!({ "x": 1, "y": 2, "width": 3, "height": 4 }))
}

#[test]
fn a_list_that_is_missing_or_empty_has_no_entries() {
    let config = LabelConfig::parse(PAGES).unwrap();
    for value in [json!({}), json!({ "images": [] }), json!({ "images": "a" })] {
        let expanded = config.for_task(&data(&value)).unwrap();
        assert_eq!(names(&expanded), [pair("kind", "page_0")], "{value}");
    }
}

#[test]
fn repeaters_within_repeaters_are_expanded() {
    let config = LabelConfig::parse(
        r#"<View><repeater ON="$chapters" indexflag="{{c}}"><Repeater on="$chapters[{{c}}].parts">
             <Text name="t_{{c}}_{{idx}}" value="$chapters[{{c}}].parts[{{idx}}]"/>
             <Choices name="c_{{c}}_{{idx}}" toName="t_{{c}}_{{idx}}"><Choice value="x"/></Choices>
           </Repeater></repeater></View>"#,
    )
    .unwrap();
    let data = data(&json!({ "chapters": [{ "parts": ["a"] }, { "parts": ["b", "c"] }] }));
    let expanded = config.for_task(&data).unwrap();
    let texts: Vec<_> = expanded
        .objects()
        .iter()
        .map(|object| (object.name.as_str(), object.value_in(&data).unwrap()))
        .collect();
    let expected = [
        ("t_0_0", &json!("a")),
        ("t_1_0", &json!("b")),
        ("t_1_1", &json!("c")),
    ];
    assert_eq!(texts, expected);
}

#[test]
fn a_list_that_makes_the_label_config_too_large_is_an_error() {
    let config = LabelConfig::parse(PAGES).unwrap();
    let images = vec![json!({}); 100_000];
    let error = config.for_task(&data(&json!({ "images": images })));
    let error = error.unwrap_err();
    assert!(
        matches!(error, LabelConfigError::TooLarge { .. }),
        "{error}"
    );
}

#[test]
fn other_label_configs_stay_as_they_are() {
    let text = r#"<View><Text name="Repeater" value="$t"/></View>"#;
    let config = LabelConfig::parse(text).unwrap();
    assert!(!config.has_repeaters());
    assert_eq!(config.for_task(&Map::new()).unwrap().text(), text);
}

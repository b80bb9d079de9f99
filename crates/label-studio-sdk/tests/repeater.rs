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

fn entries(config: &str, data_of_task: &Value) -> Vec<Vec<(String, String)>> {
    let config = LabelConfig::parse(config).unwrap();
    let entries = config.for_entries(&data(data_of_task)).unwrap();
    entries.iter().map(names).collect()
}

#[test]
fn each_entry_has_a_label_config_of_its_own() {
    let two = json!({ "images": [{ "url": "a.png" }, { "url": "b.png" }] });
    assert_eq!(
        entries(PAGES, &two),
        [
            vec![pair("labels_0", "page_0"), pair("kind", "page_0")],
            vec![pair("labels_1", "page_1"), pair("kind", "page_0")],
        ]
    );
    for none in [json!({}), json!({ "images": [] })] {
        assert_eq!(entries(PAGES, &none), [vec![pair("kind", "page_0")]]);
    }
}

#[test]
fn entries_of_nested_and_of_several_lists_come_in_order() {
    let nested = r#"<View><Repeater on="$chapters" indexFlag="{{c}}"><Text name="t_{{c}}" value="$chapters[{{c}}].title"/>
        <Repeater on="$chapters[{{c}}].parts"><Choices name="c_{{c}}_{{idx}}" toName="t_{{c}}"><Choice value="x"/></Choices>
        </Repeater></Repeater></View>"#;
    let book = json!({ "chapters": [{ "parts": ["a"] }, { "parts": ["b", "c"] }, {}] });
    assert_eq!(
        entries(nested, &book),
        [
            vec![pair("c_0_0", "t_0")],
            vec![pair("c_1_0", "t_1")],
            vec![pair("c_1_1", "t_1")],
            vec![],
        ]
    );
    let several = r#"<View><Repeater on="$a"><Text name="a_{{idx}}" value="$a[{{idx}}]"/><Choices name="c_{{idx}}" toName="a_{{idx}}"/>
        </Repeater><Repeater on="$b"><Text name="b_{{idx}}" value="$b[{{idx}}]"/><Choices name="d_{{idx}}" toName="b_{{idx}}"/></Repeater></View>"#;
    assert_eq!(
        entries(several, &json!({ "a": ["x"], "b": ["y", "z"] })),
        [
            vec![pair("c_0", "a_0"), pair("d_0", "b_0")],
            vec![pair("d_1", "b_1")],
        ]
    );
}

#[test]
fn entries_without_controls_stay_together() {
    let config = r#"<View><Repeater on="$pages"><Image name="page_{{idx}}" value="$pages[{{idx}}]"/></Repeater>
        <Choices name="kind" toName="page_0"><Choice value="x"/></Choices></View>"#;
    let config = LabelConfig::parse(config).unwrap();
    let entries = config
        .for_entries(&data(&json!({ "pages": ["a", "b"] })))
        .unwrap();
    assert_eq!(entries.len(), 1);
    let names: Vec<_> = entries[0]
        .objects()
        .iter()
        .map(|object| &*object.name)
        .collect();
    assert_eq!(names, ["page_0", "page_1"]);
}

#[test]
fn too_many_entries_are_an_error() {
    let config = LabelConfig::parse(PAGES).unwrap();
    for n_entries in [1_001, 100_000] {
        let images = vec![json!({}); n_entries];
        let error = config.entries_of(&data(&json!({ "images": images })));
        let error = error.unwrap_err();
        assert_eq!(
            error.to_string(),
            "label config has more than 1000 entries of lists"
        );
    }
    let padding = "x".repeat(100_000);
    let large =
        format!("<View><!-- {padding} -->{PAGES}</View>").replace("<?xml version=\"1.0\"?>", "");
    let images = vec![json!({}); 1_000];
    let config = LabelConfig::parse(&large).unwrap();
    let error = config.entries_of(&data(&json!({ "images": images })));
    assert!(matches!(
        error.unwrap_err(),
        LabelConfigError::TooLarge { .. }
    ));
}

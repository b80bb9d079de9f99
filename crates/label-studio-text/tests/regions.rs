//! Regions of found entities.

use label_studio_sdk::{LabelConfig, Region};
use label_studio_text::regions::{Entity, TextLabels, UnknownLabels};
use serde_json::json;

const LABEL_CONFIG: &str = r#"<View><Text name="text" value="$text"/>
    <Labels name="people" toName="text"><Label value="Person" predicted_values="PER"/></Labels>
    <Labels name="places" toName="text"><Label value="loc"/></Labels>
    <Choices name="c" toName="text"><Choice value="ORG"/></Choices></View>"#;
const TEXT: &str = "👩‍💻 é Bob";
const NAMES: [&str; 3] = ["LOC", "PER", "ORG"];

fn regions(entities: &[Entity], unknown: UnknownLabels) -> Vec<Region> {
    let label_config = LabelConfig::parse(LABEL_CONFIG).unwrap();
    TextLabels::find(&label_config)
        .unwrap()
        .regions(&NAMES, TEXT, entities, unknown)
}

fn entity(label: &str, start: usize, end: usize) -> Entity {
    Entity {
        label: label.to_owned(),
        start,
        end,
        score: 0.5,
    }
}

#[test]
fn entities_go_to_the_control_that_has_their_label() {
    let entities = [
        entity("LOC", 4, 5),
        entity("PER", 6, 9),
        entity("ORG", 0, 3),
    ];
    let found = regions(&entities, UnknownLabels::Drop);
    assert_eq!(found.len(), 2);
    let [place, person] = [&found[0], &found[1]];
    assert_eq!(
        (place.from_name.as_str(), person.from_name.as_str()),
        ("places", "people")
    );
    let value = json!({ "start": 6, "end": 9, "text": "Bob", "labels": ["Person"] });
    assert_eq!(person.value, value);
    assert_eq!(place.value["text"], "é");
    assert_eq!((person.to_name.as_str(), person.score), ("text", Some(0.5)));
}

#[test]
fn labels_that_the_project_lacks_may_be_kept() {
    let found = regions(&[entity("ORG", 0, 3)], UnknownLabels::Keep);
    assert_eq!(found[0].from_name, "people");
    assert_eq!(found[0].value["labels"], json!(["ORG"]));
    assert_eq!(found[0].value["text"], "👩‍💻");
}

#[test]
fn entities_behind_the_text_are_left_out() {
    let entities = [
        entity("PER", 6, 10),
        entity("PER", 9, 9),
        entity("PER", 8, 7),
    ];
    let found = regions(&entities, UnknownLabels::Drop);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].value["start"], 9);
}

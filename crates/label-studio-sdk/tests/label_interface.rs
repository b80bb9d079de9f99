//! Look-ups in a label config, and regions made with its controls.

use label_studio_sdk::{
    Control, LabelConfig, LabelConfigError, Pair, Prediction, Region, Relation, ResultEntry, Tag,
    TagNames, values,
};
use serde_json::{Map, Value, json};

const VECTORS: &str = include_str!("../../../vectors/core_label_interface.json");
const OWN_VECTORS: &str = include_str!("../../../vectors/own_label_interface.json");

fn vectors() -> Value {
    serde_json::from_str(VECTORS).unwrap()
}

fn parse(config: &Value) -> LabelConfig {
    LabelConfig::parse(config.as_str().unwrap()).unwrap()
}

/// Makes a region from the arguments of the original's `label` method.
fn label(
    config: &LabelConfig,
    control: &str,
    arguments: &Value,
) -> Result<Region, LabelConfigError> {
    let mut fields: Map<_, _> = arguments.as_object().unwrap().clone();
    let label = fields.remove("label").unwrap_or_default();
    let builder = match fields.remove("to_name") {
        Some(Value::String(to_name)) => config.control(control)?.label(label).to_name(to_name),
        _ => config.control(control)?.label(label),
    };
    builder.fields(fields).build()
}

/// The region as JSON, its random id replaced and its whole numbers written without a fraction.
fn shown(region: &Region) -> Value {
    assert_eq!(region.id.as_ref().unwrap().len(), 36);
    whole_numbers(&json!(region.clone().with_id("<uuid4>")))
}

fn whole_numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(items) => items.iter().map(whole_numbers).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), whole_numbers(value)))
            .collect(),
        other => other.clone(),
    }
}

#[test]
fn labels_like_every_vector() {
    let vectors = vectors();
    let config = parse(&vectors["config"]);
    for case in vectors["label_calls"].as_array().unwrap() {
        let region = label(
            &config,
            case["control"].as_str().unwrap(),
            &case["label_kwargs"],
        );
        let expected = match case["control"].as_str().unwrap() {
            // The original cannot take paths as a label, though they are the only labels a taxonomy has.
            "tx" => Some(json!({
                "id": "<uuid4>", "from_name": "tx", "to_name": "txt", "type": "taxonomy",
                "value": { "taxonomy": [["A", "B"]] },
            })),
            _ => case.get("region").cloned(),
        };
        match (region, expected) {
            (Ok(region), Some(expected)) => {
                assert_eq!(shown(&region), whole_numbers(&expected), "{case}");
            }
            (Err(LabelConfigError::UndefinedLabels { possible, .. }), None) => {
                assert!(
                    case["error"].as_str().unwrap().starts_with("ValueError"),
                    "{case}"
                );
                assert_eq!(possible, ["PER", "ORG"]);
            }
            (Err(LabelConfigError::InvalidValue { .. }), None) => {
                assert!(
                    case["error"]
                        .as_str()
                        .unwrap()
                        .starts_with("ValidationError"),
                    "{case}"
                );
            }
            (result, _) => panic!("{case}: {result:?}"),
        }
    }
}

#[test]
fn creates_the_regions_of_every_vector() {
    let vectors = vectors();
    let config = parse(&vectors["config"]);
    for case in vectors["create_regions"].as_array().unwrap() {
        let regions = config
            .create_regions(case["data"].as_object().unwrap())
            .unwrap();
        let regions: Vec<_> = regions.iter().map(shown).collect();
        assert_eq!(json!(regions), whole_numbers(&case["regions"]), "{case}");
    }
}

#[test]
fn labels_like_every_vector_of_our_own() {
    let vectors: Value = serde_json::from_str(OWN_VECTORS).unwrap();
    let config = parse(&vectors["config"]);
    let mut differences = Vec::new();
    for case in vectors["label_calls"].as_array().unwrap() {
        let control = case["control"].as_str().unwrap();
        let region = label(&config, control, &case["label_kwargs"]);
        compare(
            &mut differences,
            case,
            &region.as_ref().map(shown),
            case.get("region").map(whole_numbers).as_ref(),
        );
    }
    // The original makes regions in the order of the payload, here they come in the order of the controls.
    let by_name = |regions: &[Value]| {
        let mut regions = regions.to_vec();
        regions.sort_by_key(|region| region["from_name"].to_string());
        Value::from(regions)
    };
    for case in vectors["create_regions"].as_array().unwrap() {
        let regions = config.create_regions(case["data"].as_object().unwrap());
        let regions = regions.as_ref().map(|regions| {
            let regions: Vec<_> = regions.iter().map(shown).collect();
            by_name(&regions)
        });
        let expected = case["regions"].as_array();
        let expected = expected.map(|regions| {
            let regions: Vec<_> = regions.iter().map(whole_numbers).collect();
            by_name(&regions)
        });
        compare(&mut differences, case, &regions, expected.as_ref());
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn compare(
    differences: &mut Vec<String>,
    case: &Value,
    made: &Result<Value, &LabelConfigError>,
    expected: Option<&Value>,
) {
    if made.as_ref().ok() != expected {
        differences.push(format!("{case}\n  {made:?}"));
    }
}

#[test]
fn payloads_of_every_shape_become_regions() {
    let config = parse(&vectors()["config"]);
    let check = |payload: Value, expected: &[Value]| {
        let regions = config.create_regions(payload.as_object().unwrap()).unwrap();
        let values: Vec<_> = regions.into_iter().map(|region| region.value).collect();
        assert_eq!(values, expected, "{payload}");
    };
    check(
        json!({ "tx": [["A", "B"]] }),
        &[json!({ "taxonomy": [["A", "B"]] })],
    );
    check(
        json!({ "chc": { "label": "two" } }),
        &[json!({ "choices": ["two"] })],
    );
    check(
        json!({ "lbl": [{ "start": 0, "end": 1, "label": "PER" }, { "start": 2, "end": 3, "label": ["ORG"], "text": "x" }] }),
        &[
            json!({ "start": 0, "end": 1, "labels": ["PER"] }),
            json!({ "start": 2, "end": 3, "labels": ["ORG"] }),
        ],
    );
    check(
        json!({ "dt": "2020-01-01" }),
        &[json!({ "datetime": "2020-01-01" })],
    );
    check(
        json!({ "dt": { "datetime": "2020-01-01" } }),
        &[json!({ "datetime": "2020-01-01" })],
    );
    check(json!({ "lbl": [] }), &[]);
    let unknown = json!({ "start": 0, "end": 1, "labels": ["GPE"] });
    check(json!({ "lbl": unknown }), std::slice::from_ref(&unknown));
    let invalid = [
        json!({ "chc": "three" }),
        json!({ "lbl": [1] }),
        json!({ "rl": [{ "x": 1 }, 2] }),
        json!({ "chc": true }),
    ];
    for payload in invalid {
        assert!(
            config.create_regions(payload.as_object().unwrap()).is_err(),
            "{payload}"
        );
    }
}

#[test]
fn regions_come_in_the_order_of_their_controls() {
    let config = parse(&vectors()["config"]);
    let payload = json!({ "lbl": { "label": "PER", "start": 0, "end": 1 }, "chc": "two", "nm": 1, "dt": "2020-01-01" });
    let regions = config.create_regions(payload.as_object().unwrap()).unwrap();
    let controls: Vec<_> = regions.iter().map(|region| &*region.from_name).collect();
    assert_eq!(controls, ["chc", "lbl", "nm", "dt"]);
}

#[test]
fn finds_the_first_tags_of_every_vector() {
    let vectors = vectors();
    let config = parse(&vectors["first_tag_config"]);
    let found = |pair: Result<Pair<'_>, LabelConfigError>| {
        pair.map(|pair| json!([pair.control.name, pair.object.name, pair.object.value_name]))
            .map_err(|error| error.to_string())
    };
    for case in vectors["first_tag"].as_array().unwrap() {
        let both = &["Image", "Text"];
        let actual = match case["query"].as_str().unwrap() {
            "Choices,Text" => found(config.first_pair("Choices", "Text")),
            "choices,TEXT (case)" => found(config.first_pair("choices", "TEXT")),
            "(TextArea,Choices),Text" => found(config.first_pair(&["TextArea", "Choices"], "Text")),
            // The original gives its filters lower-cased names, so that this one finds nothing.
            "TextArea,Text,name startswith Prompt" => {
                let pair = config.first_pair_where(
                    "TextArea",
                    "Text",
                    |control| control.name.starts_with("Prompt"),
                    |_| true,
                );
                assert_eq!(found(pair), Ok(json!(["Prompt", "Txt", "t"])));
                continue;
            }
            "Choices,(Image,Text),to_name==Txt" => {
                let pair = config.first_pair_where(
                    "Choices",
                    both,
                    |_| true,
                    |object| object.name == "Txt",
                );
                assert_eq!(found(pair), Ok(json!(["d", "Txt", "t"])));
                continue;
            }
            "Choices,(Image,Text),to_name==txt" => {
                let pair = config.first_pair_where(
                    "Choices",
                    both,
                    |_| true,
                    |object| object.name == "txt",
                );
                assert_eq!(
                    found(pair),
                    Err(
                        "label config has no <Choices> control on a <Image> or <Text> object"
                            .to_owned()
                    )
                );
                continue;
            }
            "list type" => found(config.first_pair(TagNames::All, TagNames::All)),
            query => panic!("unknown query {query}"),
        };
        assert_eq!(actual.unwrap(), case["result"], "{case}");
    }
    assert_eq!(
        config.first_tag_occurrence("Choices", "Text").unwrap(),
        ("d", "Txt", "t")
    );
    assert!(config.first_tag_occurrence("Choices", "Video").is_err());
}

#[test]
fn relations_are_entries_of_the_result() {
    let expected = &vectors()["relations"]["model_dump"];
    let config = parse(&vectors()["config"]);
    let span = |id: &str, start: i64, label: &str| {
        let builder = config
            .control("lbl")
            .unwrap()
            .label(label)
            .field("start", start)
            .field("end", start + 1);
        builder.build().unwrap().with_id(id)
    };
    let relation = Relation {
        direction: label_studio_sdk::Direction::Left,
        labels: vec!["rel".into()],
        ..Relation::new("r1", "r2")
    };
    let result: Vec<ResultEntry> = vec![
        span("r1", 0, "PER").into(),
        span("r2", 2, "ORG").into(),
        json!({ "raw": 1 }).into(),
        relation.into(),
    ];
    let prediction = json!(Prediction::new(result).with_score(0.25));
    // The original nests the relations in a second list, and writes a null model version.
    let mut entries = expected["result"].as_array().unwrap().clone();
    let nested = entries.pop().unwrap();
    entries.extend(nested.as_array().unwrap().clone());
    assert_eq!(prediction, json!({ "score": 0.25, "result": entries }));
    let mut valid = prediction;
    valid["result"].as_array_mut().unwrap().remove(2);
    assert_eq!(config.validate_prediction(&valid), [""; 0]);
}

const CONFIG: &str = r#"<View><Text name="text" value="$t"/><Image name="image" value="$i"/><Pdf name="pdf" value="$p"/>
    <Brush name="b" toName="image"/><BrushLabels name="bl" toName="image,pdf"><Label value="A"/></BrushLabels>
    <Labels name="l" toName="text"/><HyperTextLabels name="h" toName="text"/><Pairwise name="pw" toName="text,image"/>
    <ReactCode name="code" toName="text"/><ParagraphLabels name="para" toName="text"/><Relations name="rel" toName="text"/>
    <Custom name="custom" toName="text"/></View>"#;

#[test]
fn tags_are_found_by_name_kind_and_class() {
    let config = LabelConfig::parse(CONFIG).unwrap();
    assert_eq!(config.tag("text").unwrap().name(), "text");
    assert!(
        matches!(config.tag("code").unwrap(), Tag::Control(_)),
        "controls come first"
    );
    for error in [
        config.tag("z").unwrap_err(),
        config.control("text").unwrap_err(),
        config.object("b").unwrap_err(),
    ] {
        assert!(
            matches!(error, LabelConfigError::UnknownName { .. }),
            "{error}"
        );
    }
    assert!(matches!(
        config.only_control(),
        Err(LabelConfigError::NotExactlyOne { count: 9, .. })
    ));
    assert!(matches!(
        config.only_object(),
        Err(LabelConfigError::NotExactlyOne { .. })
    ));
    let empty = LabelConfig::parse("<View/>").unwrap();
    assert!(matches!(
        empty.only_control(),
        Err(LabelConfigError::NotExactlyOne { count: 0, .. })
    ));
    let names = |tags: &mut dyn Iterator<Item = &Control>| {
        tags.map(|control| control.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&mut config.controls_of("BRUSH")), ["b"]);
    assert_eq!(
        names(&mut config.controls_of(&["brushlabels", "Labels"])),
        ["bl", "l"]
    );
    assert_eq!(names(&mut config.ner_controls()), ["l", "h"]);
    assert_eq!(
        config.image_objects().count() + config.pdf_objects().count(),
        2
    );
    let of_class = |classes: &[&str]| {
        config
            .tags_of_classes(classes)
            .map(Tag::name)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of_class(&["BrushTag", "BrushLabelsTag", "ImageTag"]),
        ["image", "b", "bl"]
    );
    assert_eq!(
        of_class(&["ObjectTag"]).len() + of_class(&["ControlTag"]).len(),
        config.tags().count()
    );
    assert_eq!(config.tag("custom").unwrap().class(), "ControlTag");
    assert_eq!(config.tag("pdf").unwrap().class(), "ObjectTag");
}

#[test]
fn a_loaded_task_is_seen_by_the_objects() {
    let config = LabelConfig::parse(CONFIG).unwrap();
    let data = json!({ "t": "Hello", "x": 1 });
    let loaded = config.load_task(data.as_object().unwrap());
    assert_eq!(
        loaded.object("text").unwrap().task_value,
        Some(json!("Hello"))
    );
    assert_eq!(loaded.object("image").unwrap().task_value, None);
    assert_eq!(config.object("text").unwrap().task_value, None);
    assert_eq!(
        config
            .object("text")
            .unwrap()
            .value_in(data.as_object().unwrap()),
        Some(&json!("Hello"))
    );
}

#[test]
fn a_region_points_at_the_first_object_unless_told_otherwise() {
    let config = LabelConfig::parse(CONFIG).unwrap();
    let control = config.control("bl").unwrap();
    let build = |to_name: Option<&str>| {
        let builder = control.label("A").field("rle", vec![1]);
        to_name
            .map_or_else(|| builder.clone(), |name| builder.clone().to_name(name))
            .build()
    };
    assert_eq!(build(None).unwrap().to_name, "image");
    assert_eq!(build(Some("pdf")).unwrap().to_name, "pdf");
    assert!(matches!(
        build(Some("text")),
        Err(LabelConfigError::UnconnectedObject { .. })
    ));
    let lonely =
        LabelConfig::parse(r#"<View><Choices name="c" toName="missing"/></View>"#).unwrap();
    let region = lonely.control("c").unwrap().label("x").build();
    assert!(matches!(
        region,
        Err(LabelConfigError::UnconnectedObject { .. })
    ));
    let region = control.region(json!({ "any": 1 }));
    assert_eq!(
        json!(region),
        json!({ "from_name": "bl", "to_name": "image", "type": "brushlabels", "value": { "any": 1 } })
    );
    let typed = control.region(values::BrushLabelsValue {
        format: "rle".into(),
        rle: vec![1],
        brushlabels: vec!["A".into()],
    });
    assert_eq!(typed.value, build(None).unwrap().value);
}

#[test]
fn unusual_controls_are_labelled_their_own_way() {
    let config = LabelConfig::parse(CONFIG).unwrap();
    let built = |control: &str, arguments: Value| {
        let region = label(&config, control, &arguments).unwrap();
        (region.to_name, region.value)
    };
    assert_eq!(
        built("pw", json!({ "label": "left" })),
        ("pw".into(), json!({ "selected": "left" }))
    );
    assert_eq!(
        built("code", json!({ "a": 1, "label": "x" })),
        (
            "code".into(),
            json!({ "reactcode": { "a": 1, "label": "x" } })
        )
    );
    let spoken = json!({ "start": 2, "end": 2, "startOffset": null, "endOffset": null, "paragraphlabels": ["q"] });
    assert_eq!(
        built("para", json!({ "label": "q", "utterance": 2 })),
        ("text".into(), spoken)
    );
    assert_eq!(
        built("custom", json!({ "a": 1 })),
        ("text".into(), json!({ "a": 1 }))
    );
    assert_eq!(
        built("custom", json!({ "label": "x" })),
        ("text".into(), json!({ "custom": ["x"] }))
    );
    assert!(label(&config, "rel", &json!({})).is_err());
    assert!(label(&config, "pw", &json!({ "label": ["left"] })).is_err());
    let unlabeled = config
        .control("b")
        .unwrap()
        .unlabeled()
        .field("rle", vec![1, 2])
        .build()
        .unwrap();
    assert_eq!(unlabeled.value, json!({ "format": "rle", "rle": [1, 2] }));
}

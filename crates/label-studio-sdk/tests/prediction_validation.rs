//! Which predictions Label Studio would refuse, and why.

use label_studio_sdk::LabelConfig;
use proptest::prelude::*;
use serde_json::{Value, json};

const VECTORS: &str = include_str!("../../../vectors/core_label_interface.json");
const OWN_VECTORS: &str = include_str!("../../../vectors/own_label_interface.json");

fn check(config: &str, prediction: &Value, expected: &[&str]) {
    let config = LabelConfig::parse(config).unwrap();
    assert_eq!(
        config.validate_prediction(prediction),
        expected,
        "{prediction}"
    );
}

/// The original nests the messages of a relation in a second list; here all messages are in one list.
fn flat(errors: &Value) -> Vec<&str> {
    let errors = errors.as_array().unwrap().iter();
    errors
        .flat_map(|error| {
            error
                .as_array()
                .map_or(std::slice::from_ref(error), Vec::as_slice)
        })
        .filter_map(Value::as_str)
        .collect()
}

#[test]
fn finds_the_faults_of_every_vector() {
    let mut differences = Vec::new();
    for vectors in [VECTORS, OWN_VECTORS] {
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        let config = LabelConfig::parse(vectors["config"].as_str().unwrap()).unwrap();
        for case in vectors["validate_prediction"].as_array().unwrap() {
            let errors = config.validate_prediction(&case["prediction"]);
            let expected = flat(&case["errors"]);
            let is_same = errors.len() == expected.len()
                && errors
                    .iter()
                    .zip(&expected)
                    .all(|(one, other)| reason(one) == reason(other));
            if !is_same {
                differences.push(format!(
                    "{}\n   {errors:?}\n   {expected:?}",
                    case["prediction"]
                ));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The part of a message that every version of the SDK writes alike: newer ones go on with the fields of the value.
fn reason(message: &str) -> &str {
    message.split(" Got: ").next().unwrap_or(message)
}

fn check_region(config: &str, region: &Value, expected: &[&str]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|error| format!("Region 0: {error}"))
        .collect();
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    check(config, &json!({ "result": [region] }), &expected);
}

fn region(control: &str, object: &str, kind: &str, value: &Value) -> Value {
    json!({ "from_name": control, "to_name": object, "type": kind, "value": value })
}

const TEXT: &str = r#"<View><Text name="t" value="$t"/><Text name="u" value="$u"/><Image name="i" value="$i"/>
    <Choices name="c" toName="t"><Choice value="it's"/></Choices><Rating name="r" toName="t" maxRating="3"/>
    <Taxonomy name="x" toName="t"><Choice value="A"><Choice value="B"/></Choice></Taxonomy><Number name="n" toName="t"/>
    <Labels name="l" toName="i"><Label value="A"/></Labels><Rectangle name="rect" toName="i"/><Ranker name="k" toName="t"/>
    <Pairwise name="p" toName="t,u"/><Unknown name="o" toName="t"/><Relations name="rel" toName="t"/>
    <TextArea name="a" toName="t"/></View>"#;

#[test]
fn every_field_of_a_region_is_needed() {
    check_region(
        TEXT,
        &json!({ "type": "choices" }),
        &[
            "Missing required field 'from_name'",
            "Missing required field 'to_name'",
            "Missing required field 'value'",
        ],
    );
    check_region(
        TEXT,
        &region("c", "z", "choices", &json!({})),
        &["'to_name' 'z' not found in configuration"],
    );
    check_region(
        TEXT,
        &region("c", "u", "Choices", &json!({ "choices": ["it's"] })),
        &["'to_name' 'u' is not valid for control 'c'. Valid options: ['t']"],
    );
    check(
        TEXT,
        &json!({ "result": [1, "x"] }),
        &[
            "Region must be a dictionary. Got <class 'int'>: 1",
            "Region must be a dictionary. Got <class 'str'>: x",
        ],
    );
    for odd in [json!(null), json!(1), json!({}), json!([])] {
        let regions = [
            json!({ "from_name": odd, "to_name": "t", "type": "choices", "value": 1 }),
            json!({ "from_name": "c", "to_name": odd, "type": "choices", "value": 1 }),
            json!({ "from_name": "c", "to_name": "t", "type": odd, "value": 1 }),
            json!({ "from_name": "c", "to_name": "t", "type": "choices", "value": odd }),
        ];
        for region in regions {
            let prediction = json!({ "result": [region] });
            let errors = LabelConfig::parse(TEXT)
                .unwrap()
                .validate_prediction(&prediction);
            assert_eq!(errors.len(), 1, "{prediction}: {errors:?}");
        }
        assert_eq!(
            LabelConfig::parse(TEXT)
                .unwrap()
                .validate_prediction(&odd)
                .len(),
            1
        );
    }
}

#[test]
fn values_are_checked_by_their_type() {
    let valid = [
        region("r", "t", "rating", &json!({ "rating": 3 })),
        region("x", "t", "taxonomy", &json!({ "taxonomy": [["A", "B"]] })),
        region("n", "t", "number", &json!({ "number": 1.5 })),
        region("n", "t", "number", &json!({ "n": { "number": 2 } })),
        region("k", "t", "ranker", &json!({ "ranker": { "b": ["1"] } })),
        region("p", "p", "pairwise", &json!({ "selected": "left" })),
        region("o", "t", "unknown", &json!({ "anything": 1 })),
        region("a", "t", "textarea", &json!({ "text": ["x"] })),
        region(
            "rect",
            "i",
            "rectangle",
            &json!({ "x": -1, "y": 1, "width": 1, "height": 1, "text": "dropped" }),
        ),
    ];
    for region in valid {
        check_region(TEXT, &region, &[]);
    }
    let message = |value: &str, control: &str, options: &str| {
        format!("Invalid value for control '{control}'. Got: {value}. Valid options: {options}")
    };
    let invalid = [
        (
            region("r", "t", "rating", &json!({ "rating": 4 })),
            message("{'rating': 4}", "r", "expected structure: RatingValue"),
        ),
        (
            region("x", "t", "taxonomy", &json!({ "taxonomy": [["C"]] })),
            message("{'taxonomy': [['C']]}", "x", "['A', 'B']"),
        ),
        (
            region("n", "t", "number", &json!({ "number": "x" })),
            message("{'number': 'x'}", "n", "expected structure: NumberValue"),
        ),
        (
            region("k", "t", "ranker", &json!({ "ranker": [true, null] })),
            message(
                "{'ranker': [True, None]}",
                "k",
                "expected structure: RankerValue",
            ),
        ),
        (
            region("c", "t", "choices", &json!({ "choices": ["it's", "a\n"] })),
            message("{'choices': [\"it's\", 'a\\n']}", "c", "[\"it's\"]"),
        ),
        (
            region("a", "t", "textarea", &json!({ "text": "x" })),
            message("{'text': 'x'}", "a", "expected structure: TextAreaValue"),
        ),
        (
            region("rel", "t", "relations", &json!({})),
            message("{}", "rel", "no specific validation rules"),
        ),
        (
            region(
                "rect",
                "i",
                "rectangle",
                &json!({ "x": 1, "y": 101.5, "width": "z", "height": 100 }),
            ),
            "Invalid geometry for control 'rect': y 101.5, width z out of bounds [0, 100]"
                .to_owned(),
        ),
    ];
    for (region, error) in invalid {
        check_region(TEXT, &region, &[&error]);
    }
}

#[test]
fn labels_may_share_an_id_or_a_region_with_a_geometry() {
    let split = |id: &str| {
        let rectangle = json!({ "x": 1, "y": 1, "width": 1, "height": 1, "rotation": 0 });
        let mut labels = rectangle.clone();
        labels["labels"] = json!(["A"]);
        let mut regions = [
            region("rect", "i", "rectangle", &rectangle),
            region("l", "i", "labels", &labels),
        ];
        regions[0]["id"] = json!("1");
        regions[1]["id"] = json!(id);
        json!({ "result": regions })
    };
    check(TEXT, &split("1"), &[]);
    assert_eq!(
        LabelConfig::parse(TEXT)
            .unwrap()
            .validate_prediction(&split("2"))
            .len(),
        1
    );
    let merged = |label: &str| {
        region(
            "l",
            "i",
            "rectanglelabels",
            &json!({ "x": 1, "y": 1, "width": 1, "height": 1, "rectanglelabels": [label] }),
        )
    };
    check_region(TEXT, &merged("A"), &[]);
    check_region(
        TEXT,
        &merged("B"),
        &[
            "Invalid value for control 'l'. Got: {'x': 1, 'y': 1, 'width': 1, 'height': 1, 'rectanglelabels': ['B']}. Valid options: ['A']",
        ],
    );
    check_region(
        TEXT,
        &region(
            "l",
            "i",
            "polygonlabels",
            &json!({ "labels": ["A"], "start": 0, "end": 1 }),
        ),
        &["Type 'polygonlabels' does not match expected type 'labels' for control 'l'"],
    );
}

#[test]
fn relations_link_valid_regions() {
    let mut good = region("c", "t", "choices", &json!({ "choices": ["it's"] }));
    good["id"] = json!("good");
    let mut bad = region("c", "t", "choices", &json!({}));
    bad["id"] = json!("bad");
    let relation =
        json!({ "type": "relation", "from_id": "good", "to_id": "good", "direction": "bi" });
    check(TEXT, &json!({ "result": [relation, good] }), &[]);
    let broken = json!({ "type": "relation", "from_id": "good", "to_id": "bad" });
    check(
        TEXT,
        &json!({ "result": [broken, good, bad] }),
        &[
            "Region 2: Invalid value for control 'c'. Got: {}. Valid options: [\"it's\"]",
            "Relation 0: Missing required field 'direction'",
            "Relation 0: Direction must be one of ('left', 'right', 'bi'), got 'None'",
            "Relation 0: 'to_id' 'bad' not found in regions",
        ],
    );
}

#[test]
fn scores_are_numbers_from_0_to_1() {
    let score = |score: Value| json!({ "result": [], "score": score });
    for valid in [json!(0), json!(1), json!(0.5), json!("0.25"), json!(true)] {
        check(TEXT, &score(valid), &[]);
    }
    check(
        TEXT,
        &score(json!(2)),
        &["Score must be between 0.00 and 1.00 inclusive, got 2.0"],
    );
    check(
        TEXT,
        &score(json!("nan")),
        &["Score must be between 0.00 and 1.00 inclusive, got nan"],
    );
    check(
        TEXT,
        &score(json!([1])),
        &["Score must be a valid number, got [1]"],
    );
}

#[test]
fn a_control_whose_name_is_missing_is_not_taken_for_the_only_one() {
    let config = r#"<View><Text name="t" value="$t"/><Number name="n" toName="t"/></View>"#;
    let region =
        json!({ "from_name": null, "to_name": "t", "type": "number", "value": { "number": 1 } });
    check_region(
        config,
        &region,
        &["'from_name' 'None' not found in configuration"],
    );
}

proptest! {
    #[test]
    fn no_prediction_makes_it_panic(regions in proptest::collection::vec(any_region(), 0..5), score in any_json()) {
        let config = LabelConfig::parse(TEXT).unwrap();
        config.validate_prediction(&json!({ "result": regions, "score": score }));
        config.validate_annotation(&score);
        if let Some(payloads) = regions.first().and_then(Value::as_object) {
            let _ = config.create_regions(payloads);
        }
    }
}

fn any_region() -> impl Strategy<Value = Value> {
    let name =
        || proptest::sample::select(vec!["c", "r", "x", "l", "rect", "rel", "t", "i", "p", "o"]);
    let kind = proptest::sample::select(vec![
        "choices",
        "labels",
        "relation",
        "rectanglelabels",
        "Rating",
    ]);
    let known = (name(), name(), kind, any_json())
        .prop_map(|(control, object, kind, value)| region(control, object, kind, &value));
    prop_oneof![known, any_json()]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(vec!["", "A", "it's", "1", "nan", "\"'\u{1}"])
            .prop_map(Value::from),
    ];
    let key = || {
        proptest::sample::select(vec![
            "x", "choices", "labels", "rating", "start", "id", "c", "type",
        ])
    };
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(key(), inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}

//! What regions have as value, by the kind of their control.

use label_studio_sdk::values::ValueKind;
use serde_json::{Value, json};

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

/// Label Studio's own SDK reads numbers and truth values as loosely.
#[test]
fn numbers_and_truth_values_are_read_in_every_form() {
    let check = |kind: ValueKind, value: Value, expected: Option<Value>| {
        let read = kind.normalize(&value).ok();
        assert_eq!(
            read.as_ref().map(whole_numbers),
            expected.as_ref().map(whole_numbers),
            "{value}"
        );
    };
    let range = |instant: Value| json!({ "start": 1, "end": 2, "instant": instant, "timeserieslabels": ["Run"] });
    for (instant, expected) in [
        (json!(0), Some(false)),
        (json!(1.0), Some(true)),
        (json!("no"), Some(false)),
        (json!("True"), Some(true)),
        (json!(2), None),
        (json!("maybe"), None),
        (json!(null), None),
    ] {
        let expected = expected.map(|instant| range(json!(instant)));
        check(ValueKind::TimeSeriesLabels, range(instant), expected);
    }
    for (closed, expected) in [
        (json!(1), true),
        (json!("off"), false),
        (json!(null), false),
    ] {
        let expected = json!({ "closed": expected, "vertices": [] });
        let value = json!({ "closed": closed, "vertices": [] });
        check(ValueKind::Vector, value, Some(expected));
    }
    for (rle, expected) in [
        (json!([1.0, "3", true, 255]), Some(json!([1, 3, 1, 255]))),
        (json!([256]), None),
        (json!([-1]), None),
        (json!([1.5]), None),
        (json!([]), None),
    ] {
        let expected = expected.map(|rle| json!({ "format": "rle", "rle": rle }));
        check(ValueKind::Brush, json!({ "rle": rle }), expected);
    }
    check(
        ValueKind::KeyPoint,
        json!({ "x": true, "y": " 8 " }),
        Some(json!({ "x": 1, "y": 8 })),
    );
    check(ValueKind::KeyPoint, json!({ "x": [1], "y": 8 }), None);
}

/// A complete value of every control tag, as the original writes it.
fn complete_values() -> Vec<(&'static str, Value)> {
    let vertex = json!({ "x": 1.5, "y": 2.5, "id": "v", "isBezier": true, "prevPointId": null });
    let frame = json!({ "x": 1.0, "y": 2.0, "time": 0.5, "frame": 3, "width": 4.0, "height": 5.0, "rotation": 6.0 });
    let vector =
        json!({ "time": 0.5, "frame": 1, "closed": true, "enabled": false, "vertices": [vertex] });
    let box_ = json!({ "x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0, "rotation": 5.0 });
    let ellipse = json!({ "x": 1.0, "y": 2.0, "radiusX": 3.0, "radiusY": 4.0, "rotation": 5.0 });
    let span = json!({ "start": "/p", "end": 2, "startOffset": 1, "endOffset": 3 });
    let with = |base: &Value, name: &str, value: Value| {
        let mut base = base.clone();
        base[name] = value;
        base
    };
    let labels = || json!(["A"]);
    let image = json!({ "imageDataURL": "data:,", "format": "png" });
    let rle = json!({ "format": "rle", "rle": [1, 255] });
    let line = json!({ "closed": false, "vertices": [vertex] });
    let film = json!({ "framesCount": 9, "duration": 1.5, "sequence": [vector] });
    vec![
        ("Choices", json!({ "choices": ["A"] })),
        ("Labels", json!({ "start": 0, "end": 1.5, "labels": ["A"] })),
        ("Brush", rle.clone()),
        ("BrushLabels", with(&rle, "brushlabels", labels())),
        ("Bitmask", image.clone()),
        ("BitmaskLabels", with(&image, "bitmasklabels", labels())),
        ("MagicWand", rle),
        ("Ellipse", ellipse.clone()),
        ("EllipseLabels", with(&ellipse, "ellipselabels", labels())),
        ("KeyPoint", json!({ "x": 1.0, "y": 2.0 })),
        (
            "KeyPointLabels",
            json!({ "x": 1.0, "y": 2.0, "keypointlabels": ["A"] }),
        ),
        ("Vector", line.clone()),
        ("VectorLabels", with(&line, "vectorlabels", labels())),
        (
            "OcrLabels",
            with(
                &with(&with(&box_, "ocrlabels", labels()), "ocrtext", json!("t")),
                "pageIndex",
                json!(1),
            ),
        ),
        ("Polygon", json!({ "points": [[1.0, 2.0]] })),
        (
            "PolygonLabels",
            json!({ "points": [[1.0, 2.0]], "polygonlabels": ["A"] }),
        ),
        ("Rectangle", box_.clone()),
        ("RectangleLabels", with(&box_, "rectanglelabels", labels())),
        (
            "VideoRectangle",
            json!({ "framesCount": 9, "duration": 1.5, "sequence": [frame], "labels": ["A"] }),
        ),
        ("VideoVector", film.clone()),
        ("VideoVectorLabels", with(&film, "labels", labels())),
        ("Number", json!({ "number": 1.5 })),
        ("DateTime", json!({ "datetime": "2020" })),
        ("HyperTextLabels", with(&span, "hypertextlabels", labels())),
        ("Pairwise", json!({ "selected": "left" })),
        ("ParagraphLabels", with(&span, "paragraphlabels", labels())),
        ("Ranker", json!({ "ranker": { "a": ["x"] } })),
        ("Rating", json!({ "rating": 3 })),
        ("Taxonomy", json!({ "taxonomy": [["A"]] })),
        ("TextArea", json!({ "text": ["A"] })),
        (
            "TimeSeriesLabels",
            json!({ "start": 1, "end": "2", "instant": false, "timeserieslabels": ["A"] }),
        ),
        (
            "TimelineLabels",
            json!({ "ranges": [{ "start": 1.0, "end": 2.0, "enabled": null }], "timelinelabels": ["A"] }),
        ),
        (
            "ChatMessage",
            json!({ "chatmessage": { "role": "user", "content": "x", "createdAt": 1 } }),
        ),
        ("ReactCode", json!({ "reactcode": { "a": [1] } })),
    ]
}

#[test]
fn every_control_tag_has_a_value_type_with_exactly_its_fields() {
    let values = complete_values();
    let known: Vec<_> = ValueKind::ALL.iter().map(|kind| kind.tag()).collect();
    assert_eq!(
        values.iter().map(|(tag, _)| *tag).collect::<Vec<_>>(),
        known
    );
    for (tag, value) in values {
        let kind = ValueKind::of(&tag.to_uppercase()).unwrap();
        let mut extended = value.clone();
        extended["unknown"] = json!(1);
        assert_eq!(kind.normalize(&extended).unwrap(), value, "{tag}");
        let mut fields: Vec<_> = value
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut declared = kind.fields().to_vec();
        fields.sort_unstable();
        declared.sort_unstable();
        assert_eq!(fields, declared, "{tag}");
        assert!(
            kind.label_key().is_none_or(|key| declared.contains(&key)),
            "{tag}"
        );
        for wrong in [json!(null), json!([]), json!(1), json!({})] {
            assert!(kind.check(&wrong).is_err(), "{tag} {wrong}");
        }
    }
}

#[test]
fn values_have_upper_bounds_only() {
    let check = |kind: ValueKind, field: &str, number: f64, is_valid: bool| {
        let (_, mut value) = complete_values()
            .into_iter()
            .find(|(tag, _)| *tag == kind.tag())
            .unwrap();
        value[field] = json!(number);
        assert_eq!(
            kind.check(&value).is_ok(),
            is_valid,
            "{kind:?} {field} {number}"
        );
    };
    for (kind, field, bound) in [
        (ValueKind::Rectangle, "x", 100.0),
        (ValueKind::RectangleLabels, "width", 100.0),
        (ValueKind::KeyPointLabels, "y", 100.0),
        (ValueKind::Ellipse, "radiusX", 50.0),
        (ValueKind::EllipseLabels, "radiusY", 50.0),
        (ValueKind::Rectangle, "rotation", 360.0),
        (ValueKind::EllipseLabels, "rotation", 360.0),
    ] {
        check(kind, field, bound, true);
        check(kind, field, bound + 0.1, false);
        check(kind, field, -500.0, true);
    }
    check(ValueKind::OcrLabels, "x", 500.0, true);
    check(ValueKind::Rating, "rating", -1.0, false);
    check(ValueKind::Rating, "rating", 2.0, true);
    check(ValueKind::Rating, "rating", 2.5, false);
    assert!(
        ValueKind::Polygon
            .check(&json!({ "points": [[1, 101]] }))
            .is_err()
    );
    assert!(
        ValueKind::Polygon
            .check(&json!({ "points": [[1, 2, 3]] }))
            .is_err()
    );
    assert!(ValueKind::Brush.check(&json!({ "rle": [256] })).is_err());
    assert!(
        ValueKind::TimelineLabels
            .check(&json!({ "ranges": [], "timelinelabels": [] }))
            .is_err()
    );
}

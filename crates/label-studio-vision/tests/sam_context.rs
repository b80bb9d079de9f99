//! What an annotator draws becomes one prompt per label.

use label_studio_vision::models::sam::{Click, ObjectPrompt, Prompt, read_context};
use serde_json::{Value, json};

const IMAGE: (u32, u32) = (200, 100);

fn key_point(x: f64, y: f64, label: &str, is_positive: bool) -> Value {
    json!({
        "type": "keypointlabels", "to_name": "image", "is_positive": is_positive,
        "value": { "x": x, "y": y, "width": 0.3, "keypointlabels": [label] },
    })
}

fn rectangle(edges: [f64; 4], rotation: f64, label: &str) -> Value {
    let [x, y, width, height] = edges;
    json!({
        "type": "rectanglelabels", "to_name": "image",
        "value": { "x": x, "y": y, "width": width, "height": height, "rotation": rotation, "rectanglelabels": [label] },
    })
}

fn read(regions: &[Value]) -> Vec<ObjectPrompt> {
    read_context(regions, "image", IMAGE).unwrap()
}

fn click(x: f64, y: f64, is_positive: bool) -> Click {
    Click { x, y, is_positive }
}

#[test]
fn each_label_is_an_object_of_its_own_and_the_newest_is_last() {
    let objects = read(&[
        key_point(10.0, 10.0, "cat", true),
        key_point(50.0, 50.0, "dog", true),
        rectangle([5.0, 5.0, 20.0, 20.0], 0.0, "cat"),
    ]);
    let labels: Vec<_> = objects
        .iter()
        .map(|object| object.label.as_deref().unwrap())
        .collect();
    assert_eq!(labels, ["dog", "cat"]);
    assert_eq!(objects[1].clicks, [click(20.0, 10.0, true)]);
    assert_eq!(objects[1].rectangles, [[10.0, 5.0, 50.0, 25.0]]);
}

#[test]
fn a_click_beside_belongs_to_its_label_or_to_all() {
    let positive = [
        key_point(10.0, 10.0, "cat", true),
        key_point(50.0, 50.0, "dog", true),
    ];
    let negatives = |label: &str| {
        let regions = [&positive[..], &[key_point(90.0, 90.0, label, false)]].concat();
        let objects = read(&regions);
        let n_negative = |object: &ObjectPrompt| {
            object
                .clicks
                .iter()
                .filter(|click| !click.is_positive)
                .count()
        };
        objects.iter().map(n_negative).collect::<Vec<_>>()
    };
    assert_eq!(negatives("cat"), [1, 0]);
    assert_eq!(negatives("background"), [1, 1]);
}

#[test]
fn only_clicks_beside_an_object_are_asked_for_as_the_newest_label() {
    let objects = read(&[
        key_point(10.0, 10.0, "cat", false),
        key_point(50.0, 50.0, "dog", false),
    ]);
    let expected = ObjectPrompt {
        label: Some("dog".to_owned()),
        clicks: vec![click(20.0, 10.0, false), click(100.0, 50.0, false)],
        rectangles: Vec::new(),
    };
    assert_eq!(objects, [expected]);
    assert_eq!(read(&[]), []);
}

#[test]
fn whether_a_click_is_on_the_object_is_read_in_every_form() {
    let cases = [
        (json!({}), true),
        (json!({ "is_positive": null }), true),
        (json!({ "is_positive": 1 }), true),
        (json!({ "is_positive": 0 }), false),
        (json!({ "is_positive": false }), false),
    ];
    for (given, expected) in cases {
        let mut region = key_point(10.0, 10.0, "cat", true);
        region.as_object_mut().unwrap().remove("is_positive");
        region
            .as_object_mut()
            .unwrap()
            .extend(given.as_object().unwrap().clone());
        let regions = [key_point(1.0, 1.0, "cat", true), region];
        assert_eq!(read(&regions)[0].clicks[1].is_positive, expected, "{given}");
    }
}

#[test]
fn rectangles_are_read_from_any_corner_turned_and_cut_at_the_edge() {
    let cases = [
        ([10.0, 20.0, 30.0, 40.0], 0.0, [20.0, 20.0, 80.0, 60.0]),
        ([40.0, 60.0, -30.0, -40.0], 0.0, [20.0, 20.0, 80.0, 60.0]),
        ([-10.0, -10.0, 200.0, 50.0], 0.0, [0.0, 0.0, 200.0, 40.0]),
        // A quarter turn around the upper left corner.
        ([50.0, 10.0, 20.0, 10.0], 90.0, [90.0, 10.0, 100.0, 50.0]),
        // A mere click.
        ([10.0, 20.0, 0.0, 0.0], 0.0, [20.0, 20.0, 20.0, 20.0]),
        ([100.0, 100.0, -0.1, -0.1], 0.0, [199.0, 99.0, 200.0, 100.0]),
    ];
    for (drawn, rotation, expected) in cases {
        let objects = read(&[rectangle(drawn, rotation, "cat")]);
        assert_eq!(objects[0].rectangles, [expected], "{drawn:?}");
    }
}

#[test]
fn what_lies_outside_of_the_image_is_named() {
    let outside = [
        key_point(101.0, 50.0, "cat", true),
        key_point(50.0, -3.0, "cat", true),
        rectangle([110.0, 10.0, 20.0, 20.0], 0.0, "cat"),
        rectangle([10.0, -30.0, 20.0, 20.0], 0.0, "cat"),
    ];
    for region in outside {
        let error = read_context(std::slice::from_ref(&region), "image", IMAGE)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("outside of the image") && error.contains("region at"),
            "{error}"
        );
    }
    assert_eq!(
        read(&[key_point(100.0, 100.0, "cat", true)])[0].clicks,
        [click(200.0, 100.0, true)]
    );
}

#[test]
fn fields_that_are_no_numbers_are_named() {
    for x in [json!(null), json!("left"), json!([1])] {
        let mut region = key_point(1.0, 1.0, "cat", true);
        region["value"]["x"] = x;
        let error = read_context(&[region], "image", IMAGE)
            .unwrap_err()
            .to_string();
        assert!(error.contains("no number x"), "{error}");
    }
}

#[test]
fn more_clicks_than_anybody_makes_are_refused() {
    let clicks = vec![key_point(1.0, 1.0, "cat", true); 1001];
    let error = read_context(&clicks, "image", IMAGE)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("1001 regions") && error.contains("at most 1000"),
        "{error}"
    );
    assert_eq!(read(&clicks[1..])[0].clicks.len(), 1000);
}

#[test]
fn other_regions_and_other_images_are_left_out() {
    let mut elsewhere = key_point(1.0, 1.0, "cat", true);
    elsewhere["to_name"] = json!("other");
    let regions = [
        json!({ "type": "brushlabels", "value": { "format": "rle", "rle": [], "brushlabels": ["cat"] } }),
        json!({ "type": "relation", "from_id": "a", "to_id": "b" }),
        json!("no region"),
        elsewhere,
    ];
    assert_eq!(read(&regions), []);
}

#[test]
fn several_rectangles_are_asked_for_one_by_one() {
    let objects = read(&[
        rectangle([0.0, 0.0, 20.0, 20.0], 0.0, "cat"),
        rectangle([50.0, 50.0, 20.0, 20.0], 0.0, "cat"),
        key_point(10.0, 10.0, "cat", true),
        key_point(90.0, 10.0, "cat", true),
        key_point(95.0, 95.0, "cat", false),
    ]);
    let prompts = objects[0].prompts();
    let described: Vec<_> = prompts
        .iter()
        .map(|Prompt { clicks, rectangle }| (clicks.len(), rectangle.is_some()))
        .collect();
    assert_eq!(described, [(1, true), (0, true), (2, false)]);
}

#[test]
fn one_rectangle_is_asked_for_with_all_clicks() {
    let objects = read(&[
        rectangle([0.0, 0.0, 20.0, 20.0], 0.0, "cat"),
        key_point(90.0, 10.0, "cat", true),
    ]);
    let [prompt] = &objects[0].prompts()[..] else {
        panic!("one prompt is expected");
    };
    assert_eq!((prompt.clicks.len(), prompt.rectangle.is_some()), (1, true));
}

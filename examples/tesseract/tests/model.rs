//! Regions that annotators draw, and what is read in them.

mod support;

use std::{fs, process::Command, slice};

use image::{Rgb, RgbImage, imageops};
use label_studio_ml::{Value, json};
use support::{
    LABEL_CONFIG, around, backend, body, fixture, json_fixture, png, png_url, rectangle, results,
    text, url,
};

const WHOLE: [f64; 4] = [0.0, 0.0, 100.0, 100.0];

fn whole() -> Value {
    let [x, y, width, height] = WHOLE;
    rectangle(
        "drawn",
        json!({ "x": x, "y": y, "width": width, "height": height, "rotation": 0 }),
    )
}

/// Number of letters to insert, remove or change.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (idx, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = idx + 1;
        for (column, other) in to.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

/// The program's own answers for files with these images.
fn own_outputs(images: &[RgbImage]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let paths = images.iter().enumerate().map(|(idx, image)| {
        let path = folder.path().join(format!("{idx}.png"));
        fs::write(&path, png(image)).unwrap();
        format!("{}\n", path.display())
    });
    let list = folder.path().join("list.txt");
    fs::write(&list, paths.collect::<String>()).unwrap();
    let mut program = Command::new("tesseract");
    program
        .arg(&list)
        .args(["stdout", "-l", "eng", "--psm", "7"]);
    let output = program.env("OMP_THREAD_LIMIT", "1").output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let texts = text.split('\u{c}').take(images.len());
    texts.map(|text| text.trim().to_owned()).collect()
}

fn parts(page: &RgbImage, lines: &[Value]) -> Vec<RgbImage> {
    let parts = lines.iter().map(|line| {
        let edge = |idx: usize| u32::try_from(line["bounds"][idx].as_u64().unwrap()).unwrap();
        let (width, height) = (edge(2) - edge(0), edge(3) - edge(1));
        imageops::crop_imm(page, edge(0), edge(1), width, height).to_image()
    });
    parts.collect()
}

#[test]
fn fifty_lines_are_read_as_the_program_reads_them() {
    let client = backend(&["--tesseract-psm", "7"]);
    let page = image::open(fixture("lines.png")).unwrap().into_rgb8();
    let lines = json_fixture("lines.json");
    let lines = lines.as_array().unwrap();
    assert_eq!(lines.len(), 50);
    let parts = parts(&page, lines);
    let images: Vec<_> = parts.iter().map(png_url).collect();
    let results = results(&client, &body(&images, &json!({ "result": [whole()] })));
    let (mut n_letters, mut n_edits, mut n_own_edits) = (0, 0, 0);
    for ((line, result), own) in lines.iter().zip(&results).zip(own_outputs(&parts)) {
        let found = result["result"][0]["value"]["text"][0].as_str();
        let found = found.unwrap_or_default();
        assert_eq!(found, own, "{line}");
        let expected = line["text"].as_str().unwrap();
        n_letters += expected.chars().count();
        n_edits += edits(found, expected);
        n_own_edits += edits(&own, expected);
    }
    assert_eq!(n_edits, n_own_edits);
    assert!(
        n_edits * 100 < n_letters,
        "{n_edits} edits of {n_letters} letters"
    );
}

#[test]
fn a_rotated_rectangle_is_read_upright() {
    let turned = json_fixture("turned.json");
    let client = backend(&[]);
    let region = rectangle("drawn", turned["value"].clone());
    assert_eq!(
        text(&client, &url("turned.png"), &region).as_deref(),
        turned["text"].as_str()
    );
    let results = results(
        &client,
        &body(&[url("turned.png")], &json!({ "result": [region] })),
    );
    let entry = &results[0]["result"][0];
    assert_eq!(entry["value"]["rotation"], -25.0);
    assert_eq!(
        (&entry["original_width"], &entry["original_height"]),
        (&json!(700), &json!(620)),
        "the size of the image, not that of the context"
    );
}

#[test]
fn of_a_polygon_and_an_ellipse_only_the_inside_is_read() {
    let client = backend(&["--tesseract-psm", "11"]);
    let image = url("shapes.png");
    let whole = text(&client, &image, &whole()).unwrap();
    assert_eq!(
        whole.split_whitespace().collect::<Vec<_>>(),
        ["ABOVE", "MIDDLE", "BELOW"]
    );
    // A band from below left to above right, which has all three words in its box.
    let points = [
        [0, 60],
        [20, 36],
        [66, 36],
        [100, 2],
        [100, 40],
        [70, 58],
        [26, 60],
        [2, 98],
    ];
    let polygon = json!({
        "original_width": 600, "original_height": 300, "image_rotation": 0, "id": "drawn",
        "from_name": "poly", "to_name": "image", "type": "polygonlabels", "origin": "manual",
        "value": { "points": points, "closed": true, "polygonlabels": ["Label1"] },
    });
    assert_eq!(text(&client, &image, &polygon).as_deref(), Some("MIDDLE"));
    let results = results(
        &client,
        &body(slice::from_ref(&image), &json!({ "result": [polygon] })),
    );
    let (found, drawn) = (&results[0]["result"][0], &results[0]["result"][1]);
    assert_eq!(
        found["value"],
        json!({ "points": points, "closed": true, "text": ["MIDDLE"] })
    );
    assert_eq!(*drawn, polygon);

    let ellipse = json!({
        "original_width": 600, "original_height": 300, "image_rotation": 0, "id": "drawn",
        "from_name": "ellipse", "to_name": "image", "type": "ellipselabels",
        "value": { "x": 47.5, "y": 48, "radiusX": 22, "radiusY": 22, "rotation": 0 },
    });
    assert_eq!(text(&client, &image, &ellipse).as_deref(), Some("MIDDLE"));
}

#[test]
fn the_newest_region_without_text_is_read() {
    let client = backend(&["--tesseract-psm", "7"]);
    let lines = json_fixture("lines.json");
    let region = |idx: usize| {
        let mut region = around(&lines[idx]["bounds"], (1500.0, 1340.0));
        region["id"] = json!(format!("region {idx}"));
        region
    };
    let with_text = |idx: usize| {
        let mut text = region(idx);
        text["type"] = json!("textarea");
        text["from_name"] = json!("transcription");
        text["value"]["text"] = json!(["done"]);
        text
    };
    let found = |context: Value| {
        let results = results(
            &client,
            &body(&[url("lines.png")], &json!({ "result": context })),
        );
        let entries = results[0]["result"].as_array().unwrap().clone();
        let ids: Vec<_> = entries.iter().map(|entry| entry["id"].clone()).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        (
            entries
                .first()
                .map(|entry| entry["value"]["text"][0].clone()),
            entries.len(),
        )
    };
    let expected = |idx: usize| (Some(lines[idx]["text"].clone()), 2);
    assert_eq!(found(json!([region(0), region(1)])), expected(1));
    assert_eq!(
        found(json!([region(0), region(1), with_text(1)])),
        expected(0)
    );
    assert_eq!(
        found(json!([with_text(1), region(0), region(1)])),
        expected(0)
    );
    assert_eq!(
        found(json!([region(0), with_text(0)])),
        (None, 0),
        "all have a text"
    );
    // The label of a Labels tag is a separate entry.
    let mut label = region(2);
    label["type"] = json!("labels");
    let mut shape = region(2);
    shape["type"] = json!("rectangle");
    let (text, n_entries) = found(json!([shape, label]));
    assert_eq!((text, n_entries), (Some(lines[2]["text"].clone()), 3));
}

#[test]
fn regions_without_text_are_no_error() {
    let blank = png_url(&RgbImage::from_pixel(400, 300, Rgb([255; 3])));
    let dot = png_url(&RgbImage::from_pixel(1, 1, Rgb([9; 3])));
    let beside = rectangle(
        "drawn",
        json!({ "x": 120, "y": 10, "width": 20, "height": 20, "rotation": 0 }),
    );
    let click = rectangle(
        "drawn",
        json!({ "x": 20, "y": 10, "width": 0, "height": 0, "rotation": 0 }),
    );
    let (client, with_empty) = (backend(&[]), backend(&["--empty-text", "true"]));
    for (image, region) in [
        (&blank, whole()),
        (&dot, whole()),
        (&blank, beside),
        (&blank, click),
    ] {
        let body = body(slice::from_ref(image), &json!({ "result": [region] }));
        let none = results(&client, &body);
        assert_eq!(
            (&none[0]["result"], &none[0]["score"]),
            (&json!([]), &json!(0.0))
        );
        let empty = results(&with_empty, &body);
        assert_eq!(empty[0]["result"][0]["value"]["text"], json!([""]));
    }
}

#[test]
fn an_image_of_twenty_thousand_pixels_is_read() {
    let lines = image::open(fixture("lines.png")).unwrap().into_rgb8();
    let mut long = RgbImage::from_pixel(20_000, 60, Rgb([255; 3]));
    let line = imageops::crop_imm(&lines, 32, 27, 431, 45).to_image();
    imageops::replace(&mut long, &line, 10_000, 8);
    let client = backend(&["--tesseract-psm", "7"]);
    let expected = json_fixture("lines.json")[0]["text"].clone();
    let found = text(&client, &png_url(&long), &whole());
    assert_eq!(found.as_deref(), expected.as_str());

    let longer = RgbImage::from_pixel(33_000, 10, Rgb([255; 3]));
    let (status, answer) = client.post(
        "/predict",
        &body(&[png_url(&longer)], &json!({ "result": [whole()] })),
    );
    assert_eq!(status, 500);
    let detail = answer["detail"].as_str().unwrap();
    assert!(
        detail.contains("33000 x 10 pixels, and tesseract takes at most 32767"),
        "{detail}"
    );
}

#[test]
fn tasks_keep_their_order_and_their_errors() {
    let client = backend(&["--tesseract-psm", "7", "--tesseract-jobs", "3"]);
    let page = image::open(fixture("lines.png")).unwrap().into_rgb8();
    let lines = json_fixture("lines.json");
    let parts = parts(&page, &lines.as_array().unwrap()[..6]);
    let mut images: Vec<String> = parts.iter().map(png_url).collect();
    images.insert(3, "data:image/png;base64,bm8gaW1hZ2U=".to_owned());
    let results = results(&client, &body(&images, &json!({ "result": [whole()] })));
    assert_eq!(results.len(), 7);
    let error = results[3]["error"].as_str().unwrap();
    assert!(error.contains("not an image"), "{error}");
    let read = results.iter().enumerate().filter(|(idx, _)| *idx != 3);
    for (expected, (_, result)) in lines.as_array().unwrap().iter().zip(read) {
        assert_eq!(
            result["result"][0]["value"]["text"],
            json!([expected["text"]])
        );
    }
}

#[test]
fn of_a_list_of_images_the_one_drawn_on_is_read() {
    let client = backend(&[]);
    let mut region = whole();
    region["item_index"] = json!(1);
    let mut body = body(&[], &json!({ "result": [region] }));
    body["label_config"] = json!(LABEL_CONFIG.replace("value=\"$image\"", "valueList=\"$image\""));
    body["tasks"] = json!([{ "id": 1, "data": { "image": [url("lines.png"), url("card.png")] } }]);
    let results = results(&client, &body);
    let entry = &results[0]["result"][0];
    assert_eq!(entry["value"]["text"], json!(["KENAPA\nHARUS\nPUNYA"]));
    assert_eq!(entry["item_index"], 1);
}

#[test]
fn regions_that_cannot_be_read_are_named() {
    let client = backend(&[]);
    let mut no_number = whole();
    no_number["value"]["width"] = json!("wide");
    let two_points = json!({
        "id": "drawn", "to_name": "image", "type": "polygon", "value": { "points": [[1, 2], [3, 4]] },
    });
    for (region, expected) in [
        (
            no_number,
            "the rectanglelabels region just drawn has no number width",
        ),
        (two_points, "no list of three or more points"),
    ] {
        let body = body(&[url("card.png")], &json!({ "result": [region] }));
        let (status, answer) = client.post("/predict", &body);
        let detail = answer["detail"].as_str().unwrap();
        assert!(
            status == 400 && detail.contains(expected),
            "{status} {detail}"
        );
    }
    // What is no region is left alone.
    let others = json!([{ "type": "choices", "value": {} }, 5, null, { "value": [] }]);
    let results = results(
        &client,
        &body(&[url("card.png")], &json!({ "result": others })),
    );
    assert_eq!(results[0]["result"], json!([]));
}

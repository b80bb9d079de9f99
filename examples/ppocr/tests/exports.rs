//! Exports of several versions of PP-OCR, told apart by what their files say.

mod support;

use image::{RgbImage, imageops};
use label_studio_ml::{Value, testing::TestClient};
use label_studio_vision::boxes::Quad;
use ppocr::{Line, PageReader};
use support::{POLYGONS, RAPIDOCR, client, data_url, fixture, load, regions};

/// Where a position on the upright page is on a turned one.
type Position = fn([f32; 2]) -> [f32; 2];

fn path(name: &str) -> String {
    fixture(name).to_str().unwrap().to_owned()
}

fn image(name: &str) -> RgbImage {
    image::open(fixture(name)).unwrap().into_rgb8()
}

fn reader(flags: &[&str]) -> PageReader {
    load(&[&RAPIDOCR[..], flags].concat()).unwrap().reader
}

fn sorted_texts(lines: &[Line]) -> Vec<&str> {
    let mut texts: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
    texts.sort_unstable();
    texts
}

#[test]
fn exports_read_the_same_wherever_their_dictionary_is() {
    let texts = |client: &TestClient| -> Vec<Value> {
        let regions = regions(client, POLYGONS, &data_url("lines.png"));
        let values = regions.iter().map(|region| region["value"]["text"].clone());
        values.collect()
    };
    let expected = texts(&client(&RAPIDOCR));
    assert_eq!(expected.len(), 8);
    let plain = path("tiny-rec-plain.onnx");
    let dictionary = path("fixed_rec/dict.txt");
    for flags in [
        // NAME.yml beside it.
        vec!["--rec-model", &plain],
        // Named, one character a line.
        vec!["--rec-model", &plain, "--rec-dictionary", &dictionary],
        // A folder of PaddleOCR: inference.onnx with inference.yml.
        vec!["--rec-model", &path("v5_rec/inference.onnx")],
        // Inputs of one size, four lines at a time, dict.txt beside it.
        vec![
            "--det-model",
            &path("fixed-det.onnx"),
            "--rec-model",
            &path("fixed_rec/rec.onnx"),
        ],
    ] {
        let found = texts(&client(&[&RAPIDOCR[..], &flags[..]].concat()));
        assert_eq!(found, expected, "{flags:?}");
    }
}

#[test]
fn lines_upside_down_are_turned_by_the_classifier_of_each_version() {
    let upright = image("lines.png");
    let turned = imageops::rotate180(&upright);
    for name in ["tiny-cls.onnx", "v5-cls.onnx"] {
        let reader = reader(&["--textline-model", &path(name)]);
        let found = [&upright, &turned].map(|page| reader.read(page).unwrap());
        // Strokes end at one height, so that lines are darker on one side.
        assert_eq!(sorted_texts(&found[0]), sorted_texts(&found[1]), "{name}");
    }
}

#[test]
fn pages_on_a_side_are_turned_and_boxes_stay_where_the_text_is() {
    // Text above, nothing below.
    let mut page = RgbImage::from_pixel(300, 300, image::Rgb([255; 3]));
    imageops::replace(&mut page, &image("lines.png"), 0, 0);
    let model = path("v5-doc.onnx");
    let reader = reader(&["--use-doc-orientation", "--doc-orientation-model", &model]);
    let expected = reader.read(&page).unwrap();
    assert_eq!(expected.len(), 4);
    let turns: [(RgbImage, Position); 3] = [
        (imageops::rotate90(&page), |[x, y]| [300.0 - y, x]),
        (imageops::rotate180(&page), |[x, y]| [300.0 - x, 300.0 - y]),
        (imageops::rotate270(&page), |[x, y]| [y, 300.0 - x]),
    ];
    for (turned, position) in turns {
        let found = reader.read(&turned).unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found.text, expected.text);
            assert_eq!(found.quad, Quad(expected.quad.0.map(position)));
        }
        assert_eq!(found.len(), expected.len());
    }
}

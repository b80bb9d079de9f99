//! The backend behind the whole server, with the program that is installed.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "each test file uses a part"
)]

use std::{
    fs,
    io::Cursor,
    path::{Path, PathBuf},
};

use image::{ImageFormat, RgbImage};
use label_studio_ml::{Value, json, serde_json, testing::TestClient};
use label_studio_testing::{check_image_regions, flags, images::to_url};
use tesseract::{TesseractArgs, TesseractOcr};

pub const LABEL_CONFIG: &str = r#"<View>
  <Image name="image" value="$image" zoom="true" zoomControl="false" rotateControl="true"/>
  <RectangleLabels name="bbox" toName="image" strokeWidth="1" smart="true">
    <Label value="Label1" background="green"/>
    <Label value="Label2" background="blue"/>
    <Label value="Label3" background="red"/>
  </RectangleLabels>
  <PolygonLabels name="poly" toName="image" smart="true"><Label value="Label1"/></PolygonLabels>
  <TextArea name="transcription" toName="image" editable="true" perRegion="true" required="false"
            maxSubmissions="1" rows="5" placeholder="Recognized Text" displayMode="region-list"/>
</View>"#;

/// English alone, whatever else is installed.
const ENGLISH: [&str; 2] = ["--tesseract-lang", "eng"];

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

pub fn json_fixture(name: &str) -> Value {
    serde_json::from_slice(&fs::read(fixture(name)).unwrap()).unwrap()
}

pub fn url(name: &str) -> String {
    to_url(&fs::read(fixture(name)).unwrap())
}

pub fn png_url(image: &RgbImage) -> String {
    to_url(&png(image))
}

pub fn png(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

pub fn args(flags: &[&str]) -> TesseractArgs {
    flags::parse(&[&ENGLISH[..], flags].concat())
}

pub fn backend(flags: &[&str]) -> TestClient {
    TestClient::new(TesseractOcr::load(args(flags)).unwrap())
}

pub fn tasks(images: &[String]) -> Vec<Value> {
    let tasks = images.iter().zip(1..);
    tasks
        .map(|(image, id)| json!({ "id": id, "data": { "image": image } }))
        .collect()
}

pub fn body(images: &[String], context: &Value) -> Value {
    json!({
        "tasks": tasks(images),
        "label_config": LABEL_CONFIG,
        "project": "1.1",
        "params": { "context": context },
    })
}

/// Returns the answer's entries, one per task.
pub fn results(client: &TestClient, body: &Value) -> Vec<Value> {
    let answer = client.predict(body);
    let results = answer["results"].as_array().unwrap();
    for result in results.iter().filter(|result| result["result"].is_array()) {
        check_image_regions(&result["result"]);
    }
    results.clone()
}

/// A rectangle in percent.
pub fn rectangle(id: &str, value: Value) -> Value {
    let mut value = value;
    value["rectanglelabels"] = json!(["Label1"]);
    json!({
        "original_width": 100, "original_height": 100, "image_rotation": 0, "id": id,
        "from_name": "bbox", "to_name": "image", "type": "rectanglelabels", "origin": "manual",
        "value": value,
    })
}

/// A rectangle around pixels of an image.
pub fn around(bounds: &Value, (width, height): (f64, f64)) -> Value {
    let edge = |idx: usize| bounds[idx].as_f64().unwrap();
    rectangle(
        "drawn",
        json!({
            "x": edge(0) * 100.0 / width,
            "y": edge(1) * 100.0 / height,
            "width": (edge(2) - edge(0)) * 100.0 / width,
            "height": (edge(3) - edge(1)) * 100.0 / height,
            "rotation": 0,
        }),
    )
}

/// Reads the whole of an image, or what a region marks of it, as one text.
pub fn text(client: &TestClient, image: &str, region: &Value) -> Option<String> {
    let context = json!({ "result": [region] });
    let results = results(client, &body(&[image.to_owned()], &context));
    let text = results[0]["result"][0]["value"]["text"][0].as_str()?;
    Some(text.to_owned())
}

//! The same images through the same networks as the post-processing in numpy (`fixtures/make.py`).

mod support;

use std::{collections::BTreeMap, fs};

use label_studio_ml::{Value, json, serde_json};
use support::{data_url, fixture, results, serve};

fn config(threshold: f64) -> String {
    format!(
        "<View><Image name=\"image\" value=\"$image\"/><RectangleLabels name=\"label\" toName=\"image\" \
         model_score_threshold=\"{threshold}\"><Label value=\"Airplane\"/><Label value=\"Car\"/>\
         <Label value=\"Light\" predicted_values=\"traffic light\"/></RectangleLabels></View>"
    )
}

fn floats(value: &Value) -> Vec<f64> {
    let numbers = value.as_array().unwrap().iter();
    numbers.map(|number| number.as_f64().unwrap()).collect()
}

fn check(family: &str) {
    let expected = fs::read(fixture("expected.json")).unwrap();
    let expected = serde_json::from_slice::<Value>(&expected).unwrap()[family].take();
    let client = serve(&format!("{family}.onnx"), BTreeMap::new());
    for (image, case) in expected.as_object().unwrap() {
        let config = config(case["threshold"].as_f64().unwrap());
        let result = results(&client, &config, &[json!({ "image": data_url(image) })]).remove(0);
        let regions = result["result"].as_array().unwrap();
        let (width, height) = (
            case["width"].as_f64().unwrap(),
            case["height"].as_f64().unwrap(),
        );
        assert_eq!(
            regions.len(),
            case["scores"].as_array().unwrap().len(),
            "{family} {image}"
        );
        // What a grey level more or less does to a JPEG, since decoders round differently.
        let noise = case["noise"].as_f64().unwrap();
        for (idx, region) in regions.iter().enumerate() {
            let score =
                (region["score"].as_f64().unwrap() - case["scores"][idx].as_f64().unwrap()).abs();
            assert!(
                score < noise.max(1e-4),
                "{family} {image} {idx}: score differs by {score}"
            );
            let label = ["Car", "Airplane", "Light"]
                [usize::try_from(case["classes"][idx].as_u64().unwrap()).unwrap()];
            assert_eq!(
                region["value"]["rectanglelabels"],
                json!([label]),
                "{family} {image} {idx}"
            );
            let value =
                |name: &str, side: f64| region["value"][name].as_f64().unwrap() / 100.0 * side;
            let (x, y) = (value("x", width), value("y", height));
            let found = [x, y, x + value("width", width), y + value("height", height)];
            let gaps = found
                .iter()
                .zip(floats(&case["boxes"][idx]))
                .map(|(a, b)| (a - b).abs());
            let gap = gaps.fold(0.0, f64::max) / width.max(height);
            assert!(
                gap < noise.max(1e-3),
                "{family} {image} {idx}: {gap} of the image away"
            );
        }
    }
}

#[test]
fn rtmdet_finds_what_its_contract_says() {
    check("rtmdet-raw");
}

#[test]
fn mmdeploy_finds_what_its_contract_says() {
    check("mmdeploy");
}

#[test]
fn yolov3_finds_what_its_contract_says() {
    check("yolov3-raw");
}

#[test]
fn rtdetr_finds_what_its_contract_says() {
    check("rtdetr");
}

//! What Label Studio needs of a backend whose label config has a `Repeater`.

use label_studio_ml::{LabelConfig, Value, json, testing::TestClient};

/// Checks that a backend answers for each entry of a `Repeater`.
///
/// `body` is one for `/predict` with one task. Its label config and its task are repeated twice:
/// each control and each object gets the position of its entry in its name, and reads the data of
/// that entry. Then the backend connects, and the regions of each entry are those that the backend
/// makes without `Repeater`. An interactive request is about the second entry only.
///
/// # Panics
/// When the backend fails one of the checks.
pub fn check_repeater(client: &TestClient, body: &Value) {
    let label_config = body["label_config"].as_str().expect("a label config");
    let parsed = LabelConfig::parse(label_config).expect("the label config is valid");
    let names: Vec<_> = parsed.tags().map(|tag| tag.name().to_owned()).collect();
    let mut plain = client.predict(body)["results"][0].take();
    let plain = plain["result"].take();
    let plain = plain.as_array().expect("a prediction without Repeater");
    assert!(!plain.is_empty(), "there is something to compare");

    let repeated = repeated(label_config, &names);
    let setup = json!({ "project": "1.1", "schema": repeated });
    let (status, answer) = client.post("/setup", &setup);
    assert_eq!(status, 200, "/setup answered {answer}");

    let data = &body["tasks"][0]["data"];
    let mut request = body.clone();
    request["label_config"] = json!(repeated);
    request["tasks"] = json!([{ "id": 1, "data": { "pages": [data, data] } }]);
    let context = &body["params"]["context"]["result"];
    let is_interactive = context
        .as_array()
        .is_some_and(|regions| !regions.is_empty());
    if is_interactive {
        request["params"]["context"]["result"] = of_entry(context, 1);
    }
    let answer = client.predict(&request);
    let prediction = &answer["results"][0];
    let found = prediction["result"].as_array().expect("a prediction");
    let expected = if is_interactive { 1..=1 } else { 0..=1 };
    let expected = expected.flat_map(|idx| plain.iter().map(move |region| of_entry(region, idx)));
    let found: Vec<_> = found.iter().map(unnamed).collect();
    let expected: Vec<_> = expected.map(|region| unnamed(&region)).collect();
    assert_eq!(found, expected, "{repeated}");
}

/// Returns a label config that is repeated for `$pages`.
fn repeated(label_config: &str, names: &[String]) -> String {
    let mut text = label_config.replace("=\"$", "=\"$pages[{{idx}}].");
    for name in names {
        text = text.replace(
            &format!(" name=\"{name}\""),
            &format!(" name=\"{name}_{{{{idx}}}}\""),
        );
        text = text.replace(
            &format!("toName=\"{name}\""),
            &format!("toName=\"{name}_{{{{idx}}}}\""),
        );
    }
    format!("<View><Repeater on=\"$pages\" indexFlag=\"{{{{idx}}}}\">{text}</Repeater></View>")
}

/// Returns a region, or a list of them, with the names of an entry.
fn of_entry(region: &Value, idx: usize) -> Value {
    let mut region = region.clone();
    if let Value::Array(regions) = &mut region {
        for region in regions {
            *region = of_entry(region, idx);
        }
        return region;
    }
    for field in ["from_name", "to_name"] {
        if let Some(name) = region[field].as_str() {
            region[field] = json!(format!("{name}_{idx}"));
        }
    }
    region
}

/// Returns a region without its id, which is another one each time.
fn unnamed(region: &Value) -> Value {
    let mut region = region.clone();
    if let Some(fields) = region.as_object_mut() {
        fields.remove("id");
    }
    region
}

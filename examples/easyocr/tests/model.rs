//! The backend behind the whole server: regions, label configs, bad input.

mod support;

use std::{collections::BTreeSet, fs, io::Cursor};

use easyocr::{Grouping, Languages};
use image::{ImageFormat, Rgb, RgbImage, imageops};
use label_studio_ml::{Value, json};
use label_studio_testing::{check_backend, check_repeater, images, images::to_url};
use support::{backend, fixture, label_config, load, results, url};

fn png_url(image: &RgbImage) -> String {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    to_url(&bytes.into_inner())
}

fn refusal(options: &[&str]) -> String {
    match load(options) {
        Ok(_) => panic!("{options:?} are accepted"),
        Err(error) => format!("{error:#}"),
    }
}

#[test]
fn label_studio_gets_what_it_needs() {
    let client = backend(&["--score-threshold", "0"]);
    let tasks = ["lines.png", "blank.png", "slanted.png"]
        .map(|name| json!({ "id": 1, "data": { "image": url(name) } }));
    let predictions = check_backend(&client, &label_config(), &tasks);
    assert!(predictions[0]["result"].as_array().unwrap().len() >= 12);
    // No text is an empty result, in its place.
    assert_eq!(predictions[1]["result"], json!([]));
    assert_eq!(predictions[1]["score"], json!(0.0));
    assert_eq!(predictions[2]["model_version"], "EasyOCR-v0.0.1");
    let texts = predictions[0]["result"].as_array().unwrap().iter();
    let texts = texts.filter(|region| region["from_name"] == "transcription");
    for text in texts {
        assert_eq!(text["value"]["labels"], json!(["Text"]));
    }
}

#[test]
fn each_entry_of_a_repeater_is_read() {
    let client = backend(&["--score-threshold", "0"]);
    let task = json!({ "id": 1, "data": { "image": url("lines.png") } });
    let body = json!({ "tasks": [task], "project": "1.1", "label_config": label_config() });
    check_repeater(&client, &body);
}

#[test]
fn lines_below_the_threshold_are_left_out() {
    let count = |threshold: &str| {
        let client = backend(&["--score-threshold", threshold]);
        let image = json!({ "image": url("lines.png") });
        let results = results(&client, &label_config(), &[image]);
        results[0]["result"].as_array().unwrap().len()
    };
    assert!(count("0") > count("0.001"));
    assert_eq!(count("1"), 0);
}

#[test]
fn rectangles_are_drawn_where_they_are_preferred_or_alone() {
    let shapes = |config: &str, options: &[&str]| {
        let client = backend(&[&["--score-threshold", "0"], options].concat());
        let results = results(&client, config, &[json!({ "image": url("slanted.png") })]);
        let regions = results[0]["result"].as_array().unwrap().clone();
        let kinds: BTreeSet<_> = regions
            .iter()
            .map(|region| region["type"].to_string())
            .collect();
        (kinds.into_iter().collect::<Vec<_>>().join(" "), regions)
    };
    let both = label_config();
    let (kinds, _) = shapes(&both, &[]);
    assert_eq!(kinds, r#""labels" "polygon" "textarea""#);
    let (kinds, regions) = shapes(&both, &["--shape", "rectangle"]);
    assert_eq!(kinds, r#""labels" "rectangle" "textarea""#);
    for region in &regions {
        let side = |name: &str| region["value"][name].as_f64().unwrap();
        assert!(
            side("x") >= 0.0 && side("x") + side("width") <= 100.0 + 1e-9,
            "{region}"
        );
        assert!(
            side("y") >= 0.0 && side("y") + side("height") <= 100.0 + 1e-9,
            "{region}"
        );
    }
    let alone = r#"<View><Image name="image" value="$image"/>
      <RectangleLabels name="box" toName="image"><Label value="Line"/></RectangleLabels>
      <TextArea name="transcription" toName="image" perRegion="true"/></View>"#;
    let (kinds, regions) = shapes(alone, &[]);
    assert_eq!(kinds, r#""rectanglelabels" "textarea""#);
    assert_eq!(regions[0]["value"]["rectanglelabels"], json!(["Line"]));
}

#[test]
fn a_label_config_that_cannot_take_texts_is_refused() {
    let client = backend(&[]);
    let detail = |config: &str| {
        let setup =
            json!({ "project": "1.1", "schema": config, "hostname": "", "access_token": "" });
        let (status, answer) = client.post("/setup", &setup);
        assert_eq!(status, 422, "{answer}");
        answer["detail"].as_str().unwrap().to_owned()
    };
    let config = label_config();
    let without = |tag: &str| config.replace(&format!("<{tag} "), "<Header value=\"x\"/><Choices ");
    assert!(detail(&without("TextArea")).contains("TextArea"));
    let no_shape = config
        .replace("<Polygon ", "<Ellipse ")
        .replace("<Rectangle ", "<Brush ");
    assert!(detail(&no_shape).contains("<Polygon>"));
    let no_label = r#"<View><Image name="image" value="$image"/><Polygon name="p" toName="image"/>
      <TextArea name="t" toName="image"/></View>"#;
    assert!(detail(no_label).contains("no label"));
}

#[test]
fn bad_images_cost_their_task_only() {
    let (pixels, bytes) = (
        images::MAX_PIXELS.to_string(),
        images::MAX_BYTES.to_string(),
    );
    let client = backend(&[
        "--score-threshold",
        "0",
        "--max-image-pixels",
        &pixels,
        "--max-image-bytes",
        &bytes,
    ]);
    let whole = fs::read(fixture("slanted.png")).unwrap();
    images::check_each(&whole, |data| {
        let mut results = results(&client, &label_config(), data);
        // The ids are random.
        for result in &mut results {
            for region in result["result"].as_array_mut().into_iter().flatten() {
                region["id"] = Value::Null;
            }
        }
        results
    });
}

#[test]
fn odd_sizes_are_no_error() {
    let client = backend(&["--score-threshold", "0", "--canvas-size", "1024"]);
    let dark = |width, height| RgbImage::from_pixel(width, height, Rgb([40; 3]));
    let mut strip = RgbImage::from_pixel(20_000, 40, Rgb([255; 3]));
    imageops::replace(&mut strip, &dark(19_000, 20), 400, 10);
    let pages = [
        dark(1, 1),
        dark(1, 500),
        strip,
        RgbImage::from_pixel(300, 1, Rgb([255; 3])),
    ];
    let data: Vec<_> = pages
        .iter()
        .map(|page| json!({ "image": png_url(page) }))
        .collect();
    for result in results(&client, &label_config(), &data) {
        assert!(result["result"].is_array(), "{result}");
    }
}

#[test]
fn three_thousand_words_on_a_page_are_three_thousand_lines() {
    let boxes = (0..50).flat_map(|row| {
        (0..60).map(move |column| {
            let (left, top) = (40 * column, 30 * row);
            let (right, bottom) = (left + 20, top + 10);
            [[left, top], [right, top], [right, bottom], [left, bottom]]
        })
    });
    let boxes: Vec<_> = boxes.collect();
    let alone = Grouping {
        width: 0.0,
        min_size: 5.0,
        ..Grouping::default()
    };
    let lines = alone.lines(&boxes).horizontal;
    assert_eq!(lines.len(), 3_000);
    assert_eq!((lines[0], lines[61]), ([-1, 21, -1, 11], [39, 61, 29, 41]));
    let joined = Grouping {
        width: 2.1,
        ..alone
    };
    assert_eq!(joined.lines(&boxes).horizontal.len(), 50);
}

#[test]
fn languages_choose_the_recogniser_of_the_library() {
    let languages = Languages::default();
    for (list, name, n_characters) in [
        ("en", "english_g2", 96),
        ("mn,en", "cyrillic_g2", 207),
        (" ru , uk", "cyrillic_g2", 207),
        ("en,de", "latin_g2", 351),
        ("fr", "latin_g2", 351),
        ("ch_sim,en", "zh_sim_g2", 6718),
        ("ch_tra", "zh_tra_g1", 5380),
        ("ja,en", "japanese_g2", 2214),
        ("ko", "korean_g2", 1008),
        ("th,en", "thai_g1", 176),
        ("ta", "tamil_g1", 126),
        ("te", "telugu_g2", 165),
        ("kn", "kannada_g2", 167),
        ("bn,as", "bengali_g1", 169),
        ("ar,fa,en", "arabic_g1", 184),
        ("hi", "devanagari_g1", 187),
        ("bgc", "devanagari_g1", 187),
    ] {
        let choice = languages.choose(list).unwrap();
        assert_eq!(
            (choice.name.as_str(), choice.characters.len()),
            (name, n_characters),
            "{list}"
        );
        let is_allowed = choice.is_allowed("", "");
        assert_eq!(is_allowed.len(), n_characters + 1);
        assert!(is_allowed[0], "the blank");
        assert!(
            is_allowed.iter().filter(|is_allowed| **is_allowed).count() > 40,
            "{list}"
        );
    }
    // Mongolian and English have no Ukrainian letters.
    let choice = languages.choose("mn,en").unwrap();
    let class = |letter: char| choice.characters.iter().position(|known| *known == letter);
    let is_allowed = choice.is_allowed("", "");
    assert!(is_allowed[class('\u{4e8}').unwrap_or_else(|| class('Ж').unwrap()) + 1]);
    assert!(!is_allowed[class('Ї').unwrap() + 1]);
    for (list, expected) in [
        (
            "tlh",
            "EasyOCR has no language \"tlh\": LANG_LIST takes abq, ady",
        ),
        ("th,fr", "thai_g1 reads th and en, and not fr"),
        ("ru,de", "cyrillic_g2 reads ru"),
        (" , ", "names no language"),
    ] {
        let message = format!("{:#}", languages.choose(list).unwrap_err());
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn files_that_do_not_fit_say_why() {
    let (ink, english) = (fixture("ink.onnx"), fixture("english_g2.onnx"));
    let (ink, english) = (ink.to_str().unwrap(), english.to_str().unwrap());
    let message = refusal(&["--easyocr-detector", english]);
    assert!(message.contains("is no CRAFT detector"), "{message}");
    let message = refusal(&["--easyocr-recogniser", ink]);
    assert!(message.contains("is no recogniser of EasyOCR"), "{message}");
    // The dictionary of another language has another length.
    let message = refusal(&["--lang-list", "mn,en", "--easyocr-recogniser", english]);
    assert!(
        message.contains("97 classes") && message.contains("208"),
        "{message}"
    );
    let message = refusal(&["--lang-list", "th"]);
    assert!(
        message.contains("thai_g1.onnx") && message.contains("export.py"),
        "{message}"
    );
    let message = refusal(&["--dictionary-file", "/nowhere/words.txt"]);
    assert!(
        message.contains("DICTIONARY_FILE /nowhere/words.txt"),
        "{message}"
    );
}

#[test]
fn turns_other_than_by_quarters_are_refused() {
    let refused = label_studio_testing::flags::try_parse::<easyocr::EasyOcrArgs>(&[
        "--rotation-info",
        "90,45",
    ]);
    let message = refused.unwrap_err().to_string();
    assert!(
        message.contains("90, 180 or 270 degrees, not by 45"),
        "{message}"
    );
}

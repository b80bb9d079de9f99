//! The backend behind the whole server: transcripts, regions, batches, long audio, bad audio.

mod support;

use std::collections::BTreeSet;

use label_studio_audio::{reading::AudioReader, transcript::Vocabulary, windows::WindowOptions};
use label_studio_ml::{LabelConfig, Model as _, Value, json};
use label_studio_testing::{check_backend, check_ids, check_results, flags};
use nemo_asr::Transcriber;
use support::{
    MODELS, REGIONS, WHOLE, client, clip, data_url, fixture, heard, load, recogniser, results,
    text, to_url, wav,
};

/// The text that NeMo's tokens make.
fn expected_text(model: &str, clip: &str) -> String {
    let characters = " abcdefghijklmnopqrstuvwxyz'".chars().map(String::from);
    let pieces = [
        "<unk>", "▁the", "▁a", "s", "▁", "ing", "▁w", "e", "n", "▁go", "t", ".",
    ];
    let vocabulary = if model == "quartznet" {
        Vocabulary::new(characters)
    } else {
        Vocabulary::new(pieces.map(str::to_owned))
    };
    let vocabulary = vocabulary.unwrap();
    let ids = heard()[model][clip]["ids"].as_array().unwrap().clone();
    let ids = ids
        .iter()
        .map(|id| usize::try_from(id.as_u64().unwrap()).unwrap());
    let text: String = ids.map(|id| vocabulary.text(id)).collect();
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ")
}

#[test]
fn transcripts_fill_the_text_area_as_in_the_original() {
    for model in MODELS {
        let client = client(&["--model-name", model]);
        let tasks = [json!({ "id": 7, "data": { "audio": data_url("long") } })];
        let [mut prediction] = check_backend(&client, WHOLE, &tasks).try_into().unwrap();
        let score = prediction["score"].take().as_f64().unwrap();
        assert!(score > 0.0 && score < 1.0, "{score}");
        let expected = json!({
            "model_version": "NemoASR-v0.0.1",
            "score": null,
            "result": [{
                "from_name": "transcription", "to_name": "audio", "type": "textarea",
                "value": { "text": [expected_text(model, "long")] },
            }],
        });
        assert_eq!(prediction, expected, "{model}");
    }
}

#[test]
fn the_request_of_the_original_is_answered() {
    let client = client(&["--model-name", "quartznet"]);
    let body = json!({
        "tasks": [{ "id": 102_651_352, "data": { "audio": data_url("short") } }],
        "project": "62075.1", "label_config": WHOLE,
        "params": { "login": null, "password": null, "context": null },
    });
    let answer = client.predict(&body);
    assert_eq!(
        text(&answer["results"][0]),
        expected_text("quartznet", "short")
    );
    let undefined = json!({
        "tasks": [{ "id": 1, "data": { "$undefined$": data_url("short") } }], "label_config": WHOLE,
    });
    let answer = client.predict(&undefined);
    assert_eq!(
        text(&answer["results"][0]),
        expected_text("quartznet", "short")
    );
}

#[test]
fn windows_of_several_files_run_together() {
    let clips = ["long", "short", "short", "long", "long", "short"];
    for model in MODELS {
        let transcriber = Transcriber {
            reader: AudioReader::find(&flags::parse(&[] as &[&str])).unwrap(),
            recogniser: recogniser(&fixture(model)).unwrap(),
            windows: WindowOptions::default(),
        };
        assert_eq!(transcriber.recogniser.batch_size(), 4);
        let files = clips.map(|clip| Ok(fixture(&format!("{clip}.wav"))));
        let found = transcriber.transcribe(files);
        assert_eq!(found.len(), clips.len());
        for (clip, said) in clips.iter().zip(found) {
            assert_eq!(said.unwrap().text(), expected_text(model, clip), "{model}");
        }
    }
}

#[test]
fn segments_become_regions_with_a_text_each() {
    let client = client(&["--model-name", "tdt"]);
    let [prediction] = results(&client, REGIONS, &[&data_url("long")])
        .try_into()
        .unwrap();
    check_results(REGIONS, &json!([prediction]));
    check_ids(&json!([prediction]));
    let regions = prediction["result"].as_array().unwrap();
    assert!(regions.len() >= 4 && regions.len() % 2 == 0, "{prediction}");
    let mut texts = Vec::new();
    let mut ids = BTreeSet::new();
    for pair in regions.chunks(2) {
        let (labels, said) = (&pair[0], &pair[1]);
        assert_eq!(labels["id"], said["id"]);
        assert!(ids.insert(labels["id"].as_str().unwrap()), "{labels}");
        assert_eq!(
            (&labels["type"], &said["type"]),
            (&json!("labels"), &json!("textarea"))
        );
        assert_eq!(labels["value"]["labels"], json!(["Voice"]));
        assert_eq!(labels["original_length"], json!(5.2));
        for key in ["start", "end"] {
            assert_eq!(labels["value"][key], said["value"][key]);
        }
        let (start, end) = (&labels["value"]["start"], &labels["value"]["end"]);
        let (start, end) = (start.as_f64().unwrap(), end.as_f64().unwrap());
        assert!(start < end && end <= 5.2, "{start} {end}");
        let score = said["score"].as_f64().unwrap();
        assert!(score > 0.0 && score < 1.0, "{score}");
        texts.push(said["value"]["text"][0].as_str().unwrap());
    }
    assert_eq!(texts.join(" "), expected_text("tdt", "long"));
}

#[test]
fn words_begin_where_nemo_hears_them() {
    let config = REGIONS.replace(
        "<Labels ",
        "<Labels timestamps=\"words\" asr_label=\"Music\" ",
    );
    let client = client(&["--model-name", "rnnt"]);
    let [prediction] = results(&client, &config, &[&data_url("short")])
        .try_into()
        .unwrap();
    let first = &prediction["result"][0]["value"];
    assert_eq!(first["labels"], json!(["Music"]));
    let heard = &heard()["rnnt"]["short"];
    // One output frame is 80 ms; the first token may be a mere blank.
    let frames = heard["frames"].as_array().unwrap();
    let starts: Vec<f64> = frames
        .iter()
        .map(|frame| frame.as_f64().unwrap() * 0.08)
        .collect();
    let regions = prediction["result"].as_array().unwrap();
    for region in regions {
        let start = region["value"]["start"].as_f64().unwrap();
        assert!(
            starts.iter().any(|own| (own - start).abs() < 1e-3),
            "{start} of {starts:?}"
        );
    }
    let texts = regions
        .iter()
        .filter_map(|region| region["value"]["text"][0].as_str());
    assert_eq!(
        texts.collect::<Vec<_>>().join(" "),
        expected_text("rnnt", "short")
    );
}

#[test]
fn label_configs_choose_what_is_filled() {
    let client = client(&["--model-name", "tdt"]);
    let kinds = |config: &str| -> Vec<String> {
        let [prediction] = results(&client, config, &[&data_url("short")])
            .try_into()
            .unwrap();
        let regions = prediction["result"].as_array().unwrap().iter();
        let kinds = regions.map(|region| {
            let name = region["from_name"].as_str().unwrap();
            format!("{name}{}", if region["id"].is_string() { "+" } else { "" })
        });
        kinds.collect::<BTreeSet<_>>().into_iter().collect()
    };
    let both = REGIONS.replace("</View>", r#"<TextArea name="all" toName="audio"/></View>"#);
    assert_eq!(kinds(&both), ["all", "labels+", "said+"]);
    let off = both.replace("<Labels ", "<Labels timestamps=\"off\" ");
    assert_eq!(kinds(&off), ["all"]);
    let whole = r#"<View><Audio name="a" value="$audio"/><TextArea name="t" toName="a" perRegion="true"/></View>"#;
    assert_eq!(kinds(whole), ["t"]);
}

#[test]
fn label_configs_that_do_not_fit_are_refused() {
    let backend = load(&["--model-name", "tdt"]).unwrap();
    let check = |config: &str| {
        let config = LabelConfig::parse(config).unwrap();
        backend.check(&config).map_err(|error| format!("{error:#}"))
    };
    assert_eq!(check(WHOLE), Ok(()));
    assert_eq!(check(REGIONS), Ok(()));
    let image = r#"<View><Image name="i" value="$i"/><TextArea name="t" toName="i"/></View>"#;
    assert!(
        check(image).unwrap_err().contains("TextArea"),
        "{:?}",
        check(image)
    );
    let unknown = REGIONS.replace("<Labels ", "<Labels asr_label=\"Noise\" ");
    assert!(
        check(&unknown).unwrap_err().contains("asr_label"),
        "{:?}",
        check(&unknown)
    );
    let unit = REGIONS.replace("<Labels ", "<Labels timestamps=\"letters\" ");
    assert!(
        check(&unit)
            .unwrap_err()
            .contains("segments, words and off"),
        "{:?}",
        check(&unit)
    );
}

#[test]
fn long_audio_is_transcribed_in_windows() {
    // Ten times the clip with half a second of silence in between.
    let samples: Vec<f32> = (0..10)
        .flat_map(|_| [clip("long"), vec![0.0; 8000]].concat())
        .collect();
    let url = to_url(&wav(&samples));
    for model in ["quartznet", "tdt"] {
        let client = client(&["--model-name", model, "--window-seconds", "9"]);
        let config = REGIONS.replace("<Labels ", "<Labels timestamps=\"words\" ");
        let [prediction] = results(&client, &config, &[&url]).try_into().unwrap();
        check_results(&config, &json!([prediction]));
        let regions = prediction["result"].as_array().unwrap();
        let starts: Vec<f64> = regions
            .iter()
            .map(|x| x["value"]["start"].as_f64().unwrap())
            .collect();
        assert!(starts.is_sorted(), "{model} {starts:?}");
        assert!(
            starts[0] < 6.0 && *starts.last().unwrap() > 50.0,
            "{model} {starts:?}"
        );
        let ends = regions.iter().map(|x| x["value"]["end"].as_f64().unwrap());
        assert!(ends.fold(0.0, f64::max) <= 57.01, "{model}");
    }
}

#[test]
fn a_task_whose_audio_cannot_be_used_costs_no_other_its_text() {
    let client = client(&["--model-name", "conformer_ctc"]);
    let good = data_url("short");
    let bad = [
        to_url(b"<html>Log in</html>"),
        to_url(&wav(&[])),
        String::new(),
        "/data/local-files/?d=missing.wav".to_owned(),
    ];
    let urls = [&good, &bad[0], &bad[1], &good, &bad[2], &bad[3], &good].map(String::as_str);
    let found = results(&client, WHOLE, &urls);
    for (url, prediction) in urls.iter().zip(&found) {
        if *url == good {
            assert_eq!(text(prediction), expected_text("conformer_ctc", "short"));
        } else {
            let error = prediction["error"].as_str();
            assert!(error.is_some_and(|error| error.len() > 20), "{prediction}");
        }
    }
    assert!(
        found[2]["error"].as_str().unwrap().contains("lasts 0 s"),
        "{}",
        found[2]
    );
}

#[test]
fn audio_shorter_than_a_window_has_an_empty_text() {
    let client = client(&["--model-name", "tdt"]);
    let [prediction] = results(&client, WHOLE, &[&to_url(&wav(&[0.1; 300]))])
        .try_into()
        .unwrap();
    assert_eq!((text(&prediction), &prediction["score"]), ("", &json!(0.0)));
    let [regions] = results(&client, REGIONS, &[&to_url(&wav(&[0.1; 300]))])
        .try_into()
        .unwrap();
    assert_eq!(regions["result"], Value::Array(Vec::new()));
}

#[test]
fn no_tasks_have_no_predictions() {
    let client = client(&["--model-name", fixture("rnnt").to_str().unwrap()]);
    assert_eq!(results(&client, WHOLE, &[]), Vec::<Value>::new());
}

//! The program: missing, killed, slow, and its languages.

#![cfg(unix)]

mod support;

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, time::Instant};

use label_studio_ml::{Value, json, testing::TestClient};
use label_studio_testing::check_results;
use support::{LABEL_CONFIG, args, body, rectangle, url};
use tempfile::TempDir;
use tesseract::TesseractOcr;

/// A program that lists its languages as tesseract does, and then does something else.
struct MockProgram {
    folder: TempDir,
}

impl MockProgram {
    fn new(reads: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in *--list-langs*) printf 'List (2):\\neng\\nosd\\n'; exit;; esac\n{reads}\n"
        );
        let path = folder.path().join("tesseract");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("tesseract")
    }

    fn client(&self, flags: &[&str]) -> TestClient {
        let path = self.path();
        let path = path.to_str().unwrap();
        let flags = [&["--tesseract-cmd", path][..], flags].concat();
        TestClient::new(TesseractOcr::load(args(&flags)).unwrap())
    }
}

fn region() -> Value {
    let value = json!({ "x": 0, "y": 0, "width": 100, "height": 100, "rotation": 0 });
    json!({ "result": [rectangle("drawn", value)] })
}

fn refusal(flags: &[&str]) -> String {
    let refused = TesseractOcr::load(args(flags));
    format!("{:#}", refused.expect_err("it is refused"))
}

#[test]
fn a_missing_program_is_named_with_the_command_that_installs_it() {
    let message = refusal(&["--tesseract-cmd", "/nowhere/tesseract"]);
    for part in [
        "apt-get install tesseract-ocr",
        "/nowhere/tesseract",
        "TESSERACT_CMD",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn an_unknown_language_is_named_with_those_that_are_installed() {
    let message = refusal(&["--tesseract-lang", "eng+tlh_Latn"]);
    for part in [
        "\"tlh_Latn\"",
        "eng",
        "osd",
        "apt-get install tesseract-ocr-tlh-latn",
    ] {
        assert!(message.contains(part), "{message}");
    }
    // In the label config, where the program itself would just leave it out.
    let program = MockProgram::new("exit 3");
    let client = program.client(&[]);
    let config = LABEL_CONFIG.replace("<TextArea", "<TextArea ocr_lang=\"eng, xyz\"");
    let mut body = body(&[url("card.png")], &region());
    body["label_config"] = json!(config);
    let (status, answer) = client.post("/predict", &body);
    let detail = answer["detail"].as_str().unwrap();
    assert!(
        status >= 400 && detail.contains("\"xyz\"") && detail.contains("eng, osd"),
        "{detail}"
    );
    let setup = json!({ "project": "1.1", "schema": config, "hostname": "", "access_token": "" });
    let (status, answer) = client.post("/setup", &setup);
    assert!(
        status == 422 && answer["detail"].as_str().unwrap().contains("\"xyz\""),
        "{answer}"
    );
}

#[test]
fn a_folder_without_languages_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let message = refusal(&[
        "--tesseract-lang",
        "",
        "--tessdata",
        folder.path().to_str().unwrap(),
    ]);
    assert!(
        message.contains("no languages") && message.contains("TESSDATA_PREFIX"),
        "{message}"
    );
}

#[test]
fn settings_reach_the_program() {
    // It prints how it was called as its text.
    let program = MockProgram::new("cat >/dev/null; echo \"$*\"");
    let folder = tempfile::tempdir().unwrap();
    let nested = folder.path().join("tessdata");
    fs::create_dir(&nested).unwrap();
    fs::write(nested.join("eng.traineddata"), "").unwrap();
    let client = program.client(&[
        "--tessdata",
        folder.path().to_str().unwrap(),
        "--tesseract-psm",
        "8",
    ]);
    let called = |config: &str| {
        let mut body = body(&[url("card.png")], &region());
        body["label_config"] = json!(config);
        let answer = client.predict(&body);
        answer["results"][0]["result"][0]["value"]["text"][0]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let start = format!("--tessdata-dir {} stdin stdout", nested.display());
    assert_eq!(
        called(LABEL_CONFIG),
        format!("{start} -l eng --psm 8 txt tsv")
    );
    let own = LABEL_CONFIG.replace("<TextArea", "<TextArea ocr_lang=\"osd+eng\" ocr_psm=\"13\"");
    assert_eq!(called(&own), format!("{start} -l osd+eng --psm 13 txt tsv"));
}

#[test]
fn a_killed_program_costs_its_task_only() {
    // It reads its input, and is killed in the middle of its output the second time.
    let program = MockProgram::new(
        "cat >/dev/null\nprintf 'text\\n'\nif mkdir \"$0.first\" 2>/dev/null; then exit; fi\nkill -9 $$",
    );
    let client = program.client(&["--tesseract-jobs", "1"]);
    let images = [url("card.png"), url("card.png")];
    let answer = client.predict(&body(&images, &region()));
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results[0]["result"][0]["value"]["text"], json!(["text"]));
    let error = results[1]["error"].as_str().unwrap();
    assert!(error.contains("failed with signal: 9"), "{error}");
    let (status, answer) = client.post("/predict", &body(&images[..1], &region()));
    assert_eq!(status, 500, "{answer}");
}

#[test]
fn a_program_that_takes_too_long_is_ended() {
    let started = Instant::now();
    let program = MockProgram::new("sleep 600");
    let client = program.client(&["--tesseract-timeout", "0.3"]);
    let (status, answer) = client.post("/predict", &body(&[url("card.png")], &region()));
    let detail = answer["detail"].as_str().unwrap();
    assert!(
        status == 500 && detail.contains("took too long"),
        "{detail}"
    );
    assert!(detail.contains("TESSERACT_TIMEOUT"), "{detail}");
    assert!(started.elapsed().as_secs() < 60);
}

#[test]
fn a_page_of_three_thousand_words_has_three_thousand_regions() {
    let program = MockProgram::new("cat >/dev/null; cat \"$0.tsv\"");
    let word = |line: i32, word: i32| {
        let (left, top) = (36 * word, 13 * line);
        format!("5\t1\t1\t1\t{line}\t{word}\t{left}\t{top}\t30\t10\t91.5\tw{word}\n")
    };
    let printed = (0..100).flat_map(|line| {
        let start = format!("4\t1\t1\t1\t{line}\t0\t0\t{}\t1080\t10\t-1\t\n", 13 * line);
        [start]
            .into_iter()
            .chain((0..30).map(move |idx| word(line, idx)))
    });
    let printed: String = printed.collect();
    fs::write(program.path().with_extension("tsv"), printed).unwrap();
    let client = program.client(&["--read-pages", "words"]);
    let body = json!({
        "tasks": [{ "id": 1, "data": { "image": url("card.png") } }],
        "label_config": LABEL_CONFIG,
        "project": "1.1",
    });
    let answer = client.predict(&body);
    check_results(LABEL_CONFIG, &answer["results"]);
    let regions = answer["results"][0]["result"].as_array().unwrap();
    let texts = regions.iter().filter(|region| region["type"] == "textarea");
    let texts: Vec<_> = texts.map(|region| &region["value"]["text"][0]).collect();
    assert_eq!(texts.len(), 3_000);
    assert_eq!((texts[0], texts[31]), (&json!("w0"), &json!("w1")));
}

#[test]
fn an_error_of_the_program_is_passed_on() {
    let program = MockProgram::new("echo 'Error opening data file' >&2; exit 1");
    let client = program.client(&[]);
    let (status, answer) = client.post("/predict", &body(&[url("card.png")], &region()));
    let detail = answer["detail"].as_str().unwrap();
    assert!(
        status == 500 && detail.contains("Error opening data file"),
        "{detail}"
    );
}

#[test]
fn modes_that_read_no_text_are_refused() {
    for mode in ["0", "2", "14", "block"] {
        let refused = label_studio_testing::flags::try_parse::<tesseract::TesseractArgs>(&[
            "--tesseract-psm",
            mode,
        ]);
        let message = refused.unwrap_err().to_string();
        assert!(message.contains("say 1, or 3 to 13"), "{message}");
    }
}

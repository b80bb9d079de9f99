//! Images, documents and files of text.

use std::{fs, io::Cursor, os::unix::fs::PermissionsExt as _, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use label_studio_ml::{
    Resources, Value, json,
    sdk::{MediaFetcher, MediaOptions},
    store::MemoryStore,
    testing::TestClient,
};
use label_studio_testing::{Answer, MockService};

use crate::mock::{asked, backend, backend_with, completion, question, saying, value};

const IMAGE: &str = r#"<View><Image name="image" value="$image"/><TextArea name="prompt" toName="image"/>
    <TextArea name="response" toName="image"/></View>"#;
const PDF: &str = r#"<View><Pdf name="pdf" value="$pdf"/><TextArea name="prompt" toName="pdf"/>
    <TextArea name="response" toName="pdf"/></View>"#;
const SEEING: [&str; 2] = ["--openai-model", "gpt-4o"];

fn image(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let image = RgbImage::from_fn(width, height, |x, _| {
        if x < width / 2 {
            Rgb([255, 0, 0])
        } else {
            Rgb([0, 0, 255])
        }
    });
    let mut bytes = Vec::new();
    DynamicImage::from(image)
        .write_to(&mut Cursor::new(&mut bytes), format)
        .unwrap();
    bytes
}

/// Puts an EXIF orientation into a JPEG file: 6 means that it is to be turned right by 90 degrees.
fn turned(jpeg: &[u8]) -> Vec<u8> {
    let mut exif =
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE1, length[0], length[1]];
    bytes.append(&mut exif);
    bytes.extend_from_slice(&jpeg[2..]);
    bytes
}

fn as_url(media_type: &str, bytes: &[u8]) -> String {
    format!("data:{media_type};base64,{}", STANDARD.encode(bytes))
}

/// The image that the chat model was sent last.
fn seen(chat_model: &MockService) -> (String, DynamicImage) {
    let body = chat_model.received().last().unwrap().json();
    let part = &body["messages"][0]["content"][1];
    assert_eq!(part["type"], "image_url");
    let url = part["image_url"]["url"].as_str().unwrap();
    let (head, bytes) = url.split_once(',').unwrap();
    let image = image::load_from_memory(&STANDARD.decode(bytes).unwrap()).unwrap();
    (head.to_owned(), image)
}

/// A program that shows how it was called, what it was given, and a text.
fn program(folder: &Path, script: &str) -> String {
    let path = folder.join("program");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_small_image_is_sent_as_it_is() {
    for (format, media_type) in [
        (ImageFormat::Png, "image/png"),
        (ImageFormat::Jpeg, "image/jpeg"),
    ] {
        let chat_model = saying("a flag");
        let bytes = image(40, 20, format);
        let url = as_url(media_type, &bytes);
        let answer = backend(&chat_model, &SEEING).predict(&asked(
            IMAGE,
            &json!({ "image": url }),
            "What is it?",
        ));
        let body = chat_model.received()[0].json();
        assert_eq!(
            body["messages"][0]["content"][1],
            json!({ "type": "image_url", "image_url": { "url": url } })
        );
        assert!(question(&chat_model).contains("(the attached image)"));
        assert_eq!(value(&answer, "response"), json!({ "text": ["a flag"] }));
    }
}

#[test]
fn images_are_turned_upright_reduced_and_converted() {
    let jpeg = turned(&image(40, 20, ImageFormat::Jpeg));
    let cases = [
        ("turned", jpeg, "data:image/jpeg;base64", (20, 40)),
        (
            "large",
            image(400, 200, ImageFormat::Png),
            "data:image/jpeg;base64",
            (100, 50),
        ),
        (
            "bmp",
            image(10, 10, ImageFormat::Bmp),
            "data:image/jpeg;base64",
            (10, 10),
        ),
        (
            "tiff",
            image(10, 10, ImageFormat::Tiff),
            "data:image/jpeg;base64",
            (10, 10),
        ),
    ];
    for (name, bytes, head, size) in cases {
        let chat_model = saying("ok");
        let flags = [&SEEING[..], &["--max-image-side", "100"]].concat();
        let data = json!({ "image": as_url("image/x", &bytes) });
        backend(&chat_model, &flags).predict(&asked(IMAGE, &data, "P"));
        let (sent_head, sent) = seen(&chat_model);
        assert_eq!(
            (sent_head.as_str(), (sent.width(), sent.height())),
            (head, size),
            "{name}"
        );
        if name == "turned" {
            let top = sent.to_rgb8().get_pixel(10, 5).0;
            assert!(
                top[0] > 200 && top[2] < 60,
                "the left half is on top now: {top:?}"
            );
        }
    }
}

#[test]
fn several_images_of_a_task_are_sent() {
    let config = IMAGE.replace("value=\"$image\"", "valueList=\"$images\"");
    let chat_model = saying("ok");
    let url = as_url("image/png", &image(4, 4, ImageFormat::Png));
    backend(&chat_model, &SEEING).predict(&asked(&config, &json!({ "images": [url, url] }), "P"));
    let body = chat_model.received()[0].json();
    assert_eq!(body["messages"][0]["content"].as_array().unwrap().len(), 3);
}

#[test]
fn models_that_cannot_see_get_the_text_of_an_image() {
    let folder = tempfile::tempdir().unwrap();
    let tesseract = program(
        folder.path(),
        "echo \"$@\"; head -c 4 | tail -c 3; echo; echo Total: 12",
    );
    let flags = [
        "--tesseract-cmd",
        &tesseract,
        "--ocr-language",
        "deu",
        "--prompt-template",
        "{text}",
    ];
    let data = json!({ "image": as_url("image/webp", &image(8, 8, ImageFormat::WebP)) });
    let chat_model = saying("ok");
    backend(&chat_model, &flags).predict(&asked(IMAGE, &data, "P"));
    let asked_for = question(&chat_model);
    let mut lines = asked_for.lines();
    assert_eq!(lines.next(), Some("stdin stdout -l deu"));
    assert!(asked_for.ends_with("Total: 12\n"), "{asked_for}");
}

#[test]
fn a_prompt_of_its_own_template_may_name_the_image() {
    let folder = tempfile::tempdir().unwrap();
    let tesseract = program(folder.path(), "cat > /dev/null; echo words");
    let flags = [
        "--tesseract-cmd",
        &tesseract,
        "--use-internal-prompt-template",
        "0",
    ];
    let data =
        json!({ "image": as_url("image/png", &image(8, 8, ImageFormat::Png)), "other": "/data/x" });
    let chat_model = saying("ok");
    backend(&chat_model, &flags).predict(&asked(IMAGE, &data, "{other}: {image}"));
    assert_eq!(question(&chat_model), "/data/x: words\n");
}

#[test]
fn programs_that_fail_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let broken = program(
        folder.path(),
        "cat > /dev/null; echo no language data >&2; exit 3",
    );
    let cases = [
        (
            "/nowhere/tesseract",
            "cannot run /nowhere/tesseract: install it, or say where it is with TESSERACT_CMD",
        ),
        (&broken, "failed with exit status: 3: no language data"),
    ];
    let data = json!({ "image": as_url("image/png", &image(8, 8, ImageFormat::Png)) });
    for (program, expected) in cases {
        let backend = backend(&saying("ok"), &["--tesseract-cmd", program]);
        let (status, answer) = backend.post("/predict", &asked(IMAGE, &data, "P"));
        let detail = answer["detail"].as_str().unwrap();
        assert_eq!(status, 500);
        assert!(detail.contains(expected), "{detail:?} lacks {expected:?}");
    }
}

#[test]
fn a_program_that_hangs_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let hanging = program(folder.path(), "exec tail -f /dev/null");
    let data = json!({ "image": as_url("image/png", &image(8, 8, ImageFormat::Png)) });
    let backend = backend(
        &saying("ok"),
        &["--tesseract-cmd", &hanging, "--service-timeout", "0.3"],
    );
    let (status, answer) = backend.post("/predict", &asked(IMAGE, &data, "P"));
    assert_eq!(status, 500);
    assert!(
        answer["detail"].as_str().unwrap().contains("took too long"),
        "{answer}"
    );
}

#[test]
fn what_is_no_image_is_said_to_be_none() {
    let broken = [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, 0, 0];
    let mut huge = image(2, 2, ImageFormat::Bmp);
    huge[18..22].copy_from_slice(&30_000_u32.to_le_bytes());
    huge[22..26].copy_from_slice(&30_000_u32.to_le_bytes());
    let cases = [
        (
            json!({ "image": as_url("image/bmp", &huge) }),
            "image has 30000x30000 pixels, at most 178956970 in total are allowed (MAX_IMAGE_PIXELS)",
        ),
        (
            json!({ "image": as_url("image/png", b"<svg/>") }),
            "file is XML or SVG, not an image that can be read",
        ),
        (
            json!({ "image": as_url("image/png", &broken) }),
            "image is damaged or of an unsupported kind",
        ),
        (
            json!({ "image": "just words" }),
            "is neither a web address nor a file of Label Studio",
        ),
        (json!({ "image": { "url": "x" } }), "holds no address"),
        (json!({}), "the task has no data field \"image\""),
        (
            json!({ "image": null }),
            "data field \"image\" of the task is null",
        ),
    ];
    for (data, expected) in cases {
        let (status, answer) =
            backend(&saying("ok"), &SEEING).post("/predict", &asked(IMAGE, &data, "P"));
        let detail = answer["detail"].as_str().unwrap();
        assert_eq!(status, 500);
        assert!(detail.contains(expected), "{detail:?} lacks {expected:?}");
    }
}

#[test]
fn documents_are_read_or_sent_whole() {
    let folder = tempfile::tempdir().unwrap();
    let pdftotext = program(
        folder.path(),
        "test \"$1 $2 $3 $5\" = '-q -enc UTF-8 -' && cat \"$4\"",
    );
    let data = json!({ "pdf": as_url("application/pdf", b"%PDF-1.7 some words") });
    let chat_model = saying("ok");
    let flags = ["--pdftotext-cmd", &pdftotext, "--prompt-template", "{text}"];
    backend(&chat_model, &flags).predict(&asked(PDF, &data, "P"));
    assert_eq!(question(&chat_model), "%PDF-1.7 some words");

    let chat_model = saying("ok");
    backend(&chat_model, &["--media-mode", "parts"]).predict(&asked(PDF, &data, "P"));
    let part = chat_model.received()[0].json()["messages"][0]["content"][1].clone();
    let file = json!({ "filename": "document.pdf", "file_data": data["pdf"] });
    assert_eq!(part, json!({ "type": "file", "file": file }));
    assert!(question(&chat_model).contains("(the attached document)"));

    let empty = program(folder.path(), "true");
    let backend = backend(&saying("ok"), &["--pdftotext-cmd", &empty]);
    let (status, answer) = backend.post("/predict", &asked(PDF, &data, "P"));
    assert_eq!(status, 500);
    assert!(
        answer["detail"]
            .as_str()
            .unwrap()
            .contains("MEDIA_MODE=parts"),
        "{answer}"
    );
}

/// A backend that may fetch files from this machine.
fn fetching(chat_model: &MockService, flags: &[&str], cache: &Path) -> TestClient {
    let options = MediaOptions {
        allow_private_addresses: true,
        retries: 0,
        ..MediaOptions::new(cache)
    };
    let media = Some(MediaFetcher::new(None, options).unwrap());
    backend_with(
        chat_model,
        flags,
        Resources {
            media,
            ..Resources::new(MemoryStore::default())
        },
    )
}

#[test]
fn addresses_are_replaced_by_the_texts_behind_them_when_they_are_asked_for() {
    let chat_model = MockService::start(|request| match request.path() {
        "/text" => Answer::bytes("text/plain", "the text"),
        "/dialogue" => Answer::bytes("application/json", r#"[{"author": "A", "text": "Hi"}]"#),
        "/v1/chat/completions" => completion(&["ok"]),
        _ => Answer::status(404),
    });
    let folder = tempfile::tempdir().unwrap();
    let fetching = |flags: &[&str]| fetching(&chat_model, flags, folder.path());
    let config = r#"<View><Text name="text" value="$t"/><TextArea name="prompt" toName="text"/>
        <TextArea name="response" toName="text"/></View>"#;
    let data = json!({ "t": chat_model.url("/text"), "gone": chat_model.url("/gone"), "list": [chat_model.url("/text"), 1] });
    fetching(&["--prompt-template", "{text}"]).predict(&asked(config, &data, "P"));
    assert_eq!(question(&chat_model), "the text");

    let own = fetching(&["--use-internal-prompt-template", "0"]);
    own.predict(&asked(config, &data, "{t} {list}"));
    assert_eq!(question(&chat_model), "the text ['the text', 1]");
    let (status, answer) = own.post("/predict", &asked(config, &data, "{gone}"));
    assert_eq!(status, 500);
    assert!(
        answer["detail"]
            .as_str()
            .unwrap()
            .contains("/gone answered 404"),
        "{answer}"
    );

    let config = config.replace("<Text ", "<Paragraphs ");
    let data: Value = json!({ "t": chat_model.url("/dialogue") });
    fetching(&["--prompt-template", "{text}"]).predict(&asked(&config, &data, "P"));
    assert_eq!(question(&chat_model), r#"[{"author": "A", "text": "Hi"}]"#);
}

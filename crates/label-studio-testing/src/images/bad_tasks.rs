//! Tasks without an image, or with one that is none, is broken or too large, for backends that label images by
//! themselves and allow images of [`MAX_PIXELS`] and [`MAX_BYTES`].

use std::io::Cursor;

use image::{
    Delay, Frame, ImageFormat, RgbImage, Rgba, RgbaImage,
    codecs::gif::{GifEncoder, Repeat},
};
use serde_json::{Value, json};

use super::to_url;

/// Pixels that an image may have.
pub const MAX_PIXELS: u64 = 1_000_000;
/// Bytes that a file may have.
pub const MAX_BYTES: u64 = 200_000;

/// The header of a bitmap of 30,000 x 30,000 pixels, without any.
fn giant() -> Vec<u8> {
    const OFFSET: u32 = 54;
    let words =
        |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|word| word.to_le_bytes()).collect() };
    let (file, image) = (
        words(&[OFFSET, 0, OFFSET, 40, 30_000, 30_000]),
        words(&[0; 6]),
    );
    let (planes, bits) = (1_u16.to_le_bytes(), 24_u16.to_le_bytes());
    [b"BM", &file[..], &planes, &bits, &image].concat()
}

/// A small file with many pixels.
fn bomb() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let image = RgbImage::new(2_000, 1_500);
    image
        .write_to(&mut bytes, ImageFormat::Png)
        .expect("an image is encoded");
    bytes.into_inner()
}

fn animation() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    encoder.set_repeat(Repeat::Infinite).unwrap();
    for level in [0, 255] {
        let image = RgbaImage::from_pixel(64, 48, Rgba([level, level, level, 255]));
        let frame = Frame::from_parts(image, 0, 0, Delay::from_numer_denom_ms(100, 1));
        encoder.encode_frame(frame).unwrap();
    }
    drop(encoder);
    bytes
}

/// Checks that a bad image fails its task only. `whole` is an image in which the backend finds something, and `results`
/// calls the backend.
///
/// # Panics
/// When a bad image does more, or its error does not name the cause.
pub fn check_each(whole: &[u8], results: impl Fn(&[Value]) -> Vec<Value>) {
    let good = json!({ "image": to_url(whole) });
    let bomb = bomb();
    assert!(bomb.len() * 100 < 2_000 * 1_500 * 3);
    let bad: Vec<(Value, &str)> = vec![
        (json!({ "other": 1 }), "Can't load path using key 'image'"),
        (
            json!({ "image": null }),
            "Can't load path using key 'image'",
        ),
        (json!({ "image": "" }), "Can't load path using key 'image'"),
        (
            json!({ "image": 5 }),
            "Path should be a string, but got a number",
        ),
        (
            json!({ "image": ["a"] }),
            "Path should be a string, but got a list",
        ),
        (
            json!({ "image": { "a": 1 } }),
            "Path should be a string, but got an object",
        ),
        (
            json!({ "image": true }),
            "Path should be a string, but got a truth value",
        ),
        (json!({ "image": to_url(b"") }), "0 bytes"),
        (
            json!({ "image": to_url(b"<html>Log in</html>") }),
            "file is a web page",
        ),
        (json!({ "image": to_url(b"%PDF-1.7") }), "file is a PDF"),
        (
            json!({ "image": to_url(b"MZ not an image") }),
            "file is of an unknown kind",
        ),
        (
            json!({ "image": to_url(&whole[..whole.len() / 2]) }),
            "image is damaged",
        ),
        (json!({ "image": to_url(&whole[..30]) }), "image is damaged"),
        (
            json!({ "image": to_url(&giant()) }),
            "image has 30000x30000 pixels, at most 1000000 in total are allowed (MAX_IMAGE_PIXELS)",
        ),
        (
            json!({ "image": to_url(&bomb) }),
            "image has 2000x1500 pixels, at most 1000000 in total are allowed (MAX_IMAGE_PIXELS)",
        ),
        (
            json!({ "image": to_url(&[whole, &vec![0; 200_000]].concat()) }),
            "at most 200000 are allowed (MAX_IMAGE_BYTES)",
        ),
        (json!({ "image": "missing.png" }), "missing.png"),
        (
            json!({ "image": "/data/upload/1/missing.png" }),
            "missing.png",
        ),
        (
            json!({ "image": "/data/local-files/?d=missing.png" }),
            "missing.png",
        ),
        (json!({ "image": "/etc/passwd" }), "/etc/passwd"),
        (
            json!({ "image": "file:///etc/passwd" }),
            "file:///etc/passwd",
        ),
    ];
    let mut tasks: Vec<Value> = bad.iter().map(|(task, _)| task.clone()).collect();
    tasks.insert(5, good.clone());
    tasks.push(good);
    let mut results = results(&tasks);
    let last = results.pop().unwrap();
    let first = results.remove(5);
    assert!(!first["result"].as_array().unwrap().is_empty(), "{first}");
    assert_eq!(first["result"], last["result"]);
    assert_eq!(results.len(), bad.len());
    for (result, (task, message)) in results.iter().zip(&bad) {
        let error = result["error"]
            .as_str()
            .unwrap_or_else(|| panic!("{message}: {result}"));
        assert!(error.contains(message), "{message}: {error}");
        let shown = task.to_string().chars().take(80).collect::<String>();
        assert!(
            result["result"].as_array().is_none_or(Vec::is_empty),
            "{shown}: {result}"
        );
    }
}

/// Checks that the first frame of an animation is predicted.
///
/// # Panics
/// When the prediction is another one than that of the frame.
pub fn check_animation(results: impl Fn(&[Value]) -> Vec<Value>) {
    let mut first = Cursor::new(Vec::new());
    let still = RgbImage::new(64, 48);
    still.write_to(&mut first, ImageFormat::Png).unwrap();
    let tasks = [animation(), first.into_inner()].map(|bytes| json!({ "image": to_url(&bytes) }));
    let results = results(&tasks);
    assert!(results[0].get("error").is_none(), "{}", results[0]);
    assert_eq!(results[0]["result"], results[1]["result"]);
}

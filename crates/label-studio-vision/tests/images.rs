//! Images against what Pillow, `OpenCV` and torch make of the same files
//! (`fixtures/make_images.py`).

#![expect(clippy::float_cmp, reason = "results are exact")]

use std::{
    fs,
    io::Cursor,
    path::PathBuf,
    sync::{Barrier, Condvar, Mutex},
    thread,
};

use image::{DynamicImage, ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use label_studio_testing::images;
use label_studio_vision::images::{
    DecodeBudget, Filter, GrayImage, ImageArgs, ImageError, Letterbox, Limits, Normalise,
    PercentBox, RgbImage, centre_crop, decode, open, resize, resize_f32, resize_shorter_side,
    to_grey,
};
use serde_json::Value;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/images")
        .join(name)
}

fn read(name: &str) -> RgbImage {
    open(&fixture(name), &Limits::default()).unwrap()
}

fn expected(name: &str) -> RgbImage {
    read(&format!("{name}.expected.png"))
}

/// Mean and largest difference of two images of one size.
fn difference(a: &RgbImage, b: &RgbImage) -> (f64, u8) {
    assert_eq!(a.dimensions(), b.dimensions());
    let differences = a
        .as_raw()
        .iter()
        .zip(b.as_raw())
        .map(|(a, b)| a.abs_diff(*b));
    let sum: u32 = differences.clone().map(u32::from).sum();
    (
        f64::from(sum) / f64::from(u32::try_from(a.as_raw().len()).unwrap()),
        differences.max().unwrap(),
    )
}

#[test]
fn lossless_files_decode_to_the_same_pixels_as_in_python() {
    let files = [
        "grey8.png",
        "rgba.png",
        "palette.png",
        "rgb16.png",
        "grey16.png",
        "animated.gif",
        "lossless.webp",
    ];
    for file in files {
        let name = file.split('.').next().unwrap();
        assert_eq!(difference(&read(file), &expected(name)), (0.0, 0), "{file}");
    }
}

#[test]
fn jpegs_decode_as_in_python_up_to_the_decoders_rounding() {
    for (file, name) in [
        ("grey.jpg", "grey"),
        ("progressive.jpg", "progressive"),
        ("cmyk.jpg", "cmyk"),
    ] {
        let (mean, largest) = difference(&read(file), &expected(name));
        assert!(
            mean < 0.8 && largest <= 8,
            "{file}: mean {mean}, largest {largest}"
        );
    }
}

#[test]
fn exif_orientation_turns_the_image_upright() {
    for tag in 1..=8 {
        let file = format!("exif_{tag}.jpg");
        let (mean, largest) = difference(&read(&file), &expected(&format!("exif_{tag}")));
        assert!(
            mean < 0.5 && largest <= 3,
            "{file}: mean {mean}, largest {largest}"
        );
    }
}

#[test]
fn what_is_not_an_image_is_named() {
    let check = |bytes: &[u8]| {
        let error = decode(bytes, &Limits::default()).unwrap_err();
        error.to_string()
    };
    assert_eq!(check(b""), "image has 0 bytes");
    let readable = "not an image that can be read (JPEG, PNG, WebP, GIF, BMP, TIFF)";
    for (bytes, found) in [
        (
            &b"\n<!DOCTYPE html><html>"[..],
            "file is a web page (does its address ask for a login?)",
        ),
        (b"{\"detail\": \"Not found.\"}", "file is JSON"),
        (
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            "file is XML or SVG",
        ),
        (b"%PDF-1.7", "file is a PDF"),
        (
            b"\0\0\0\x20ftypheic\0\0\0\0",
            "file is HEIC, AVIF or a video",
        ),
        (b"hello", "file is of an unknown kind"),
    ] {
        assert_eq!(check(bytes), format!("{found}, {readable}"));
    }
    let png = fs::read(fixture("rgb.png")).unwrap();
    assert_eq!(
        check(&png[..200]),
        "image is damaged or of an unsupported kind"
    );
    let missing = open(&fixture("missing.png"), &Limits::default()).unwrap_err();
    assert!(matches!(missing, ImageError::Read { .. }), "{missing}");
}

#[test]
fn files_that_cannot_be_used_say_what_they_are() {
    for (name, expected) in images::UNUSABLE {
        let error = open(&images::folder().join(name), &Limits::default()).unwrap_err();
        let error = format!("{:#}", anyhow::Error::from(error));
        assert!(error.contains(expected) && error.contains(name), "{error}");
    }
    for name in images::USABLE {
        open(&images::folder().join(name), &Limits::default()).unwrap();
    }
}

#[test]
fn sizes_are_limited_before_memory_is_taken() {
    // 30,000 x 30,000 pixels in a header, and nothing behind it.
    let mut png = Vec::new();
    PngEncoder::new(&mut png)
        .write_image(&[0], 1, 1, ExtendedColorType::L8)
        .unwrap();
    let huge = 30_000_u32.to_be_bytes();
    png[16..20].copy_from_slice(&huge);
    png[20..24].copy_from_slice(&huge);
    let checksum = crc32(&png[12..29]).to_be_bytes();
    png[29..33].copy_from_slice(&checksum);
    let error = decode(&png, &Limits::default()).unwrap_err();
    assert!(
        matches!(
            error,
            ImageError::TooManyPixels {
                width: 30_000,
                height: 30_000,
                ..
            }
        ),
        "{error}"
    );

    let limits = Limits {
        max_pixels: 37 * 53 - 1,
        ..Limits::default()
    };
    let bytes = fs::read(fixture("rgb.png")).unwrap();
    assert!(matches!(
        decode(&bytes, &limits),
        Err(ImageError::TooManyPixels { .. })
    ));
    let limits = Limits {
        max_bytes: 100,
        ..Limits::default()
    };
    assert!(matches!(
        decode(&bytes, &limits),
        Err(ImageError::TooManyBytes { .. })
    ));
    let error = open(&fixture("rgb.png"), &limits).unwrap_err();
    assert!(error.to_string().contains("rgb.png"), "{error}");
}

#[test]
fn a_budget_bounds_the_pixels_of_all_threads() {
    const N_THREADS: usize = 8;
    let (path, limits) = (fixture("rgb.png"), Limits::default());
    let image = 37 * 53;
    for (max_pixels, most) in [(3 * image + 1, 3), (image, 1), (1, 1), (u64::MAX, 8)] {
        let budget = DecodeBudget::new(max_pixels);
        let barrier = Barrier::new(N_THREADS);
        // Each waits until as many images as fit are decoded at once, so the count does not depend
        // on luck.
        let (at_once, changed) = (Mutex::new((0_u64, false)), Condvar::new());
        thread::scope(|scope| {
            for _ in 0..N_THREADS {
                scope.spawn(|| {
                    barrier.wait();
                    let sum = budget.with_image(&path, &limits, |image| {
                        let mut state = at_once.lock().unwrap();
                        state.0 += 1;
                        state.1 |= state.0 == most;
                        changed.notify_all();
                        while !state.1 {
                            state = changed.wait(state).unwrap();
                        }
                        state.0 -= 1;
                        image.as_raw().len() as u64
                    });
                    assert_eq!(sum.unwrap(), image * 3);
                });
            }
        });
        assert_eq!(budget.most_pixels(), most * image, "{max_pixels}");
    }
}

#[test]
fn images_that_fail_give_their_share_of_the_budget_back() {
    let (path, limits) = (fixture("rgb.png"), Limits::default());
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("damaged.png");
    let bytes = fs::read(&path).unwrap();
    fs::write(&damaged, &bytes[..bytes.len() / 2]).unwrap();
    let budget = DecodeBudget::new(37 * 53);
    let size = |path| budget.with_image(path, &limits, RgbImage::dimensions);
    let error = size(&damaged).unwrap_err();
    assert!(error.to_string().contains("damaged.png"), "{error}");
    let panicked = thread::scope(|scope| {
        let thread = scope.spawn(|| budget.with_image(&path, &limits, |_| panic!("a bug")));
        thread.join().is_err()
    });
    assert!(panicked);
    assert_eq!(size(&path).unwrap(), (53, 37));
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[test]
fn linear_resize_equals_opencv_to_the_bit() {
    let image = read("rgb.png");
    for (width, height) in [(106, 74), (26, 18), (80, 30), (17, 90), (53, 1), (1, 1)] {
        let resized = resize(&image, width, height, Filter::OpenCvLinear);
        let name = format!("opencv_{width}x{height}");
        assert_eq!(difference(&resized, &expected(&name)), (0.0, 0), "{name}");
    }
}

#[test]
fn grey_levels_are_those_that_opencv_reads_from_files() {
    let reader = ImageArgs::default().reader();
    for (name, most, most_mean) in [
        ("rgb.png", 1, 0.01),
        ("exif_6.jpg", 2, 0.1),
        ("progressive.jpg", 2, 0.1),
        ("strong.jpg", 2, 0.1),
    ] {
        let stem = name.split('.').next().unwrap();
        let expected = read(&format!("{stem}.grey.png"));
        let (found, of_colours) = reader
            .open_with_grey(&fixture(name), |image, grey| (grey, to_grey(image)))
            .unwrap();
        let as_image = |grey: &GrayImage| DynamicImage::from(grey.clone()).into_rgb8();
        let (mean, largest) = difference(&as_image(&found), &expected);
        assert!(
            mean < most_mean && largest <= most,
            "{name}: {mean} {largest}"
        );
        // Strong colours are cut off where they become red, green and blue.
        let (_, of_colours) = difference(&as_image(&of_colours), &expected);
        assert!(
            name != "strong.jpg" || of_colours > 10,
            "{name}: {of_colours}"
        );
    }
}

#[test]
fn antialiased_resizes_equal_pillow() {
    let image = read("rgb.png");
    for (name, filter) in [
        ("bilinear", Filter::PillowBilinear),
        ("bicubic", Filter::PillowBicubic),
        ("lanczos", Filter::PillowLanczos),
    ] {
        for (width, height) in [(106, 74), (20, 11), (80, 30)] {
            let name = format!("pillow_{name}_{width}x{height}");
            let (mean, largest) =
                difference(&resize(&image, width, height, filter), &expected(&name));
            assert!(
                mean < 0.02 && largest <= 2,
                "{name}: mean {mean}, largest {largest}"
            );
        }
    }
}

#[test]
fn resizes_of_floats_equal_torch() {
    let file = fs::read(fixture("torch.json")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "torch's numbers are of single precision"
    )]
    let floats = |value: &Value| -> Vec<f32> {
        let values = value.as_array().unwrap().iter();
        values.map(|value| value.as_f64().unwrap() as f32).collect()
    };
    let size = |case: &Value| {
        ["height", "width"].map(|side| u32::try_from(case[side].as_u64().unwrap()).unwrap())
    };
    let check = |actual: &[f32], expected: &[f32], tolerance: f32, case: &Value| {
        assert!(actual.len() >= expected.len());
        for (actual, expected) in actual.iter().zip(expected) {
            assert!(
                (actual - expected).abs() <= tolerance,
                "{actual} {expected} {:?}",
                size(case)
            );
        }
    };
    let image = read("rgb.png");
    for case in file["antialiased"].as_array().unwrap() {
        let [height, width] = size(case);
        let filter = if case["mode"] == "bicubic" {
            Filter::PillowBicubic
        } else {
            Filter::PillowBilinear
        };
        let resized = resize_f32(&image, width, height, filter);
        check(resized.as_raw(), &floats(&case["first"]), 1e-3, case);
    }
}

#[test]
fn letterboxes_are_those_of_ultralytics() {
    let vectors = include_str!("vectors/letterbox.json");
    let vectors: Vec<Value> = serde_json::from_str(vectors).unwrap();
    let pair = |case: &Value, name: &str| {
        let side = |idx: usize| u32::try_from(case[name][idx].as_u64().unwrap()).unwrap();
        (side(1), side(0))
    };
    for case in &vectors {
        let size = u32::try_from(case["imgsz"].as_u64().unwrap()).unwrap();
        let image = pair(case, "orig_hw");
        let letterbox = if case["rect_auto_stride32"] == true {
            Letterbox::rectangular(image, (size, size), 32)
        } else {
            Letterbox::fixed(image, (size, size))
        };
        assert_eq!(letterbox.resized, pair(case, "resized_hw"), "{case}");
        assert_eq!(letterbox.input, pair(case, "input_hw"), "{case}");
        assert_eq!(letterbox.top, case["pad_top"], "{case}");
        assert_eq!(letterbox.left, case["pad_left"], "{case}");
        let corners = letterbox.box_to_image([0.0, 0.0, f64::from(size), f64::from(size)]);
        assert_eq!(
            corners,
            [0.0, 0.0, f64::from(image.0), f64::from(image.1)],
            "{case}"
        );
    }
}

#[test]
fn a_letterbox_keeps_thin_images() {
    let image = RgbImage::from_pixel(2000, 1, image::Rgb([9; 3]));
    let letterbox = Letterbox::rectangular(image.dimensions(), (640, 640), 32);
    assert_eq!((letterbox.resized, letterbox.input), ((640, 1), (640, 32)));
    let input = letterbox.apply(&image, Filter::OpenCvLinear, [114; 3]);
    assert_eq!(
        (
            letterbox.top,
            input.get_pixel(0, 15).0,
            input.get_pixel(0, 14).0
        ),
        (15, [9; 3], [114; 3])
    );
    assert_eq!(letterbox.point_to_image([320.0, 15.5]), [1000.0, 0.5]);
}

#[test]
fn crops_and_percentages() {
    let image = read("rgb.png");
    let resized = resize_shorter_side(&image, 20, Filter::PillowBilinear);
    assert_eq!(resized.dimensions(), (28, 20));
    let cropped = centre_crop(&image, 20, 20);
    assert_eq!(cropped.get_pixel(0, 0), image.get_pixel(16, 8));
    let padded = centre_crop(&image, 57, 37);
    assert_eq!(
        (padded.get_pixel(1, 0).0, padded.get_pixel(2, 0)),
        ([0; 3], image.get_pixel(0, 0))
    );
    let percent = PercentBox::from_pixels([10.0, 20.0, 60.0, 50.0], (200, 100));
    assert_eq!(
        serde_json::to_value(percent).unwrap(),
        serde_json::json!({"x": 5.0, "y": 20.0, "width": 25.0, "height": 30.0})
    );
    assert_eq!(percent.to_pixels((200, 100)), [10.0, 20.0, 60.0, 50.0]);
}

#[test]
fn a_line_of_pixels_does_not_become_a_wall() {
    let line = RgbImage::from_fn(100_001, 1, |x, _| {
        image::Rgb([u8::try_from(x % 251).unwrap(); 3])
    });
    let resized = resize_shorter_side(&line, 224, Filter::PillowBilinear);
    assert_eq!(resized.dimensions(), (17 * 224, 224));
    let whole = resize_shorter_side(
        &image::imageops::crop_imm(&line, 49_992, 0, 16, 1).to_image(),
        224,
        Filter::PillowBilinear,
    );
    assert_eq!(whole.dimensions(), (16 * 224, 224));
}

#[test]
fn tensors_hold_one_plane_per_channel() {
    let image = RgbImage::from_raw(2, 1, vec![0, 51, 255, 255, 0, 102]).unwrap();
    let tensor = Normalise::UNIT.nchw(&image);
    assert_eq!(tensor.shape(), [1, 3, 1, 2]);
    assert_eq!(tensor.as_slice().unwrap(), [0.0, 1.0, 0.2, 0.0, 1.0, 0.4]);
    let tensor = Normalise::IMAGENET.nchw(&image);
    assert!((tensor[[0, 0, 0, 1]] - (1.0 - 0.485) / 0.229).abs() < 1e-6);
}

#[test]
fn of_an_animation_the_first_frame_counts() {
    let bytes = fs::read(fixture("animated.gif")).unwrap();
    let frames = image::AnimationDecoder::into_frames(
        image::codecs::gif::GifDecoder::new(Cursor::new(&bytes)).unwrap(),
    );
    assert_eq!(frames.count(), 3);
    assert_eq!(
        decode(&bytes, &Limits::default()).unwrap(),
        expected("animated")
    );
}

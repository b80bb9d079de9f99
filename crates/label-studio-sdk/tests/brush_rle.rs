//! Brush RLE: byte for byte what Label Studio's own encoders write, and safe to read from anyone.

use label_studio_sdk::brush_rle::{self, BrushRleError};
use proptest::prelude::*;
use serde_json::{Value, json};

const CORE: &str = include_str!("../../../vectors/core_rle.json");
const BRUSH: &str = include_str!("../../../vectors/rle_brush.json");
const OWN: &str = include_str!("../../../vectors/own_rle.json");
const MAX: u64 = 1 << 24;

fn bytes(list: &Value) -> Vec<u8> {
    serde_json::from_value(list.clone()).unwrap()
}

/// A mask given as a list of rows.
fn mask(rows: &Value) -> (u32, u32, Vec<u8>) {
    let rows: Vec<Vec<u8>> = serde_json::from_value(rows.clone()).unwrap();
    (
        u32::try_from(rows[0].len()).unwrap(),
        u32::try_from(rows.len()).unwrap(),
        rows.concat(),
    )
}

fn check_mask(name: &str, (width, height, mask): &(u32, u32, Vec<u8>), rle: &[u8]) {
    assert_eq!(
        brush_rle::encode_mask(*width, *height, mask).unwrap(),
        rle,
        "encode {name}"
    );
    assert_eq!(
        &brush_rle::decode(rle, *width, *height, MAX).unwrap(),
        mask,
        "decode {name}"
    );
    let rows = mask.chunks(*width as usize);
    assert_eq!(
        brush_rle::encode_rows(rows).unwrap(),
        rle,
        "encode rows of {name}"
    );
}

fn check_values(name: &str, values: &[u8], rle: &[u8]) {
    assert_eq!(
        brush_rle::encode_values(values).unwrap(),
        rle,
        "encode {name}"
    );
    let decoded = brush_rle::decode_values(rle, MAX).unwrap();
    assert_eq!(
        decoded,
        values.iter().copied().map(u32::from).collect::<Vec<_>>(),
        "decode {name}"
    );
}

fn rectangle(
    width: usize,
    height: usize,
    columns: std::ops::Range<usize>,
    rows: std::ops::Range<usize>,
) -> Vec<u8> {
    let painted = |pixel| columns.contains(&(pixel % width)) && rows.contains(&(pixel / width));
    brush_rle::from_bools(&(0..width * height).map(painted).collect::<Vec<_>>())
}

#[test]
fn packs_and_unpacks_the_core_vectors() {
    let vectors: Value = serde_json::from_str(CORE).unwrap();
    for case in vectors["cases"].as_array().unwrap() {
        let (name, rle) = (case["name"].as_str().unwrap(), bytes(&case["rle"]));
        match name {
            // The reference encoder writes no literal of more than one value, so this stream is only read.
            "literal_packet_5" => {
                assert_eq!(
                    json!(brush_rle::decode_values(&rle, MAX).unwrap()),
                    case["values"]
                );
            }
            // Their values are only described in words.
            "run_257" => check_values(name, &[7; 257], &rle),
            "run_65536" => check_values(name, &vec![7; 65536], &rle),
            "10x20_rect" => check_mask(name, &(20, 10, rectangle(20, 10, 3..9, 2..5)), &rle),
            _ if case["mask"].is_array() => check_mask(name, &mask(&case["mask"]), &rle),
            _ => check_values(name, &bytes(&case["values"]), &rle),
        }
    }
}

#[test]
fn packs_and_unpacks_our_own_vectors() {
    let vectors: Value = serde_json::from_str(OWN).unwrap();
    for case in vectors["cases"].as_array().unwrap() {
        let (name, rle) = (case["name"].as_str().unwrap(), bytes(&case["rle"]));
        if case["mask"].is_array() {
            check_mask(name, &mask(&case["mask"]), &rle);
        } else {
            let runs: Vec<(u8, usize)> = serde_json::from_value(case["runs"].clone()).unwrap();
            let values = runs
                .into_iter()
                .flat_map(|(value, length)| vec![value; length]);
            check_values(name, &values.collect::<Vec<_>>(), &rle);
        }
    }
}

#[test]
fn packs_and_unpacks_the_brush_masks() {
    let vectors: Value = serde_json::from_str(BRUSH).unwrap();
    for case in vectors["mask_cases"].as_array().unwrap() {
        let (name, rle) = (case["name"].as_str().unwrap(), bytes(&case["rle"]));
        match name {
            "300x300_band_rows_10_to_289" => check_mask(
                name,
                &(300, 300, rectangle(300, 300, 0..300, 10..290)),
                &rle,
            ),
            _ => check_mask(name, &mask(&case["mask"]), &rle),
        }
    }
}

#[test]
fn packs_and_unpacks_plain_values() {
    let vectors: Value = serde_json::from_str(BRUSH).unwrap();
    for case in vectors["raw_array_cases"].as_array().unwrap() {
        let runs: Vec<(u8, usize)> = serde_json::from_value(case["runs"].clone()).unwrap();
        let values: Vec<u8> = runs
            .iter()
            .flat_map(|&(value, count)| std::iter::repeat_n(value, count))
            .collect();
        check_values(
            case["name"].as_str().unwrap(),
            &values,
            &bytes(&case["rle"]),
        );
    }
}

#[test]
fn reads_and_rewrites_real_brush_regions() {
    let vectors: Value = serde_json::from_str(BRUSH).unwrap();
    for case in vectors["reference_brush_fixture"].as_array().unwrap() {
        let size = |key: &str| u32::try_from(case[key].as_u64().unwrap()).unwrap();
        let (width, height, rle) = (
            size("original_width"),
            size("original_height"),
            bytes(&case["rle"]),
        );
        let mask = brush_rle::decode(&rle, width, height, MAX).unwrap();
        let painted: Vec<usize> = (0..mask.len()).filter(|&pixel| mask[pixel] > 0).collect();
        let columns = || painted.iter().map(|pixel| pixel % width as usize);
        let rows = || painted.iter().map(|pixel| pixel / width as usize);
        let extent = [columns().min(), rows().min(), columns().max(), rows().max()];
        assert_eq!(json!(painted.len()), case["fg_pixels"]);
        assert_eq!(json!(extent), case["bbox_px_xyxy_inclusive"]);
        assert_eq!(brush_rle::encode_mask(width, height, &mask).unwrap(), rle);
    }
}

#[test]
fn joins_runs_across_rows() {
    let rows: [&[u8]; 3] = [&[0, 255], &[255, 255], &[255, 0]];
    assert_eq!(
        brush_rle::encode_rows(rows).unwrap(),
        brush_rle::encode(&rows.concat()).unwrap()
    );
}

#[test]
fn an_empty_mask_is_a_header_only() {
    let rle = brush_rle::encode(&[]).unwrap();
    assert_eq!(rle, [0, 0, 0, 0, 57, 27, 248]);
    assert!(brush_rle::decode(&rle, 0, 7, 0).unwrap().is_empty());
}

#[test]
fn region_value_is_what_label_studio_stores() {
    let value = brush_rle::region_value(1, 1, &[255]).unwrap();
    assert_eq!(
        Value::from(value),
        json!({ "format": "rle", "rle": [0, 0, 0, 4, 57, 27, 252, 127, 224] })
    );
}

#[test]
fn paints_pixels_above_the_threshold() {
    let image = [0, 127, 128, 129, 255];
    assert_eq!(
        brush_rle::threshold(&image, brush_rle::IMAGE_THRESHOLD),
        [0, 0, 0, 255, 255]
    );
    assert_eq!(brush_rle::threshold(&[0, 1, 1], 0), [0, 255, 255]);
    assert_eq!(brush_rle::from_bools(&[true, false]), [255, 0]);
}

#[test]
fn honours_the_sizes_of_the_header() {
    // 5 values, 4-bit words, count fields of 1, 2, 3 and 4 bits: a run of 3 nines, then a literal of 2 and 15.
    let bits = format!("{:032b}{:05b}{:04b}{:04b}{:04b}{:04b}", 5, 3, 0, 1, 2, 3)
        + "1_01_10_1001"
        + "0_00_1_0010_1111";
    assert_eq!(
        brush_rle::decode_values(&pack(&bits), MAX).unwrap(),
        [9, 9, 9, 2, 15]
    );
    let wide = format!("{:032b}{:05b}{:016b}", 4, 31, 0)
        + "1_00_1"
        + &"1".repeat(32)
        + "1_00_1"
        + &"0".repeat(32);
    assert_eq!(
        brush_rle::decode_values(&pack(&wide), MAX).unwrap(),
        [u32::MAX, u32::MAX, 0, 0]
    );
}

#[test]
fn saturates_words_wider_than_a_byte() {
    let bits = format!("{:032b}{:05b}{:016b}", 4, 15, 0)
        + "1_00_1"
        + &"1".repeat(16)
        + "1_00_1"
        + "0000000100000000";
    assert_eq!(brush_rle::decode(&pack(&bits), 1, 1, 1).unwrap(), [255]);
}

#[test]
fn takes_the_fourth_channel() {
    let rle = brush_rle::encode_values(&[1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
    assert_eq!(brush_rle::decode(&rle, 2, 1, MAX).unwrap(), [4, 8]);
}

#[test]
fn refuses_a_mask_of_another_size() {
    let error = brush_rle::encode_mask(2, 2, &[0; 3]).unwrap_err();
    assert_eq!(error.to_string(), "mask of 3 bytes does not fit 2x2 pixels");
    let rle = brush_rle::encode(&[0; 4]).unwrap();
    let error = brush_rle::decode(&rle, 3, 1, MAX).unwrap_err();
    assert_eq!(
        error.to_string(),
        "brush RLE of 16 values does not fit 3x1 pixels"
    );
}

#[test]
fn refuses_what_is_over_the_limit() {
    let rle = [255, 255, 255, 255, 57, 27, 255, 255, 255, 0];
    let over = |announced, limit| BrushRleError::Limit { announced, limit };
    assert_eq!(
        brush_rle::decode_values(&rle, 1000).unwrap_err(),
        over(u64::from(u32::MAX), 1000)
    );
    assert_eq!(
        brush_rle::decode(&rle, 40, 30, 1000).unwrap_err(),
        over(4800, 4000)
    );
    let huge = brush_rle::decode(&rle, u32::MAX, u32::MAX, u64::MAX).unwrap_err();
    assert!(matches!(huge, BrushRleError::SizeMismatch { .. }), "{huge}");
}

#[test]
fn refuses_a_truncated_stream() {
    let rle = brush_rle::encode(&[0, 0, 255, 0]).unwrap();
    let truncated = |decoded, announced| Err(BrushRleError::Truncated { decoded, announced });
    assert_eq!(brush_rle::decode(&[], 2, 2, MAX), truncated(0, 0));
    assert_eq!(brush_rle::decode(&rle[..6], 2, 2, MAX), truncated(0, 0));
    assert_eq!(brush_rle::decode(&rle[..9], 2, 2, MAX), truncated(8, 16));
    let announced_only = [255, 255, 255, 255, 57, 27, 248];
    assert_eq!(
        brush_rle::decode_values(&announced_only, u64::MAX),
        Err(BrushRleError::Truncated {
            decoded: 0,
            announced: u32::MAX
        })
    );
}

#[test]
fn refuses_a_packet_that_runs_over() {
    let mut rle = brush_rle::encode(&[0; 4]).unwrap();
    rle[3] = 12;
    assert_eq!(
        brush_rle::decode(&rle, 3, 1, MAX).unwrap_err(),
        BrushRleError::Overrun { announced: 12 }
    );
}

/// Bits as text to bytes; underscores are for the reader.
fn pack(bits: &str) -> Vec<u8> {
    let bits: Vec<u8> = bits
        .bytes()
        .filter(|&bit| bit != b'_')
        .map(|bit| bit - b'0')
        .collect();
    bits.chunks(8)
        .map(|byte| (0..8).fold(0, |sum, idx| sum << 1 | byte.get(idx).unwrap_or(&0)))
        .collect()
}

/// Masks of runs, whose lengths are around the limits of the size classes or anything.
fn masks() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![1..70_usize, 16_380..16_390_usize, Just(64), Just(32_768)];
    let run = (prop_oneof![Just(0), Just(255), any::<u8>()], length);
    prop::collection::vec(run, 0..12).prop_map(|runs| {
        runs.into_iter()
            .flat_map(|(value, count)| std::iter::repeat_n(value, count))
            .collect()
    })
}

proptest! {
    #[test]
    fn masks_survive_the_round_trip(mask in masks()) {
        let rle = brush_rle::encode(&mask).unwrap();
        let width = u32::try_from(mask.len()).unwrap();
        prop_assert_eq!(&brush_rle::decode(&rle, width, 1, MAX).unwrap(), &mask);
        let values: Vec<u8> = mask.iter().flat_map(|&value| [value; 4]).collect();
        prop_assert_eq!(brush_rle::encode_values(&values).unwrap(), rle);
    }

    #[test]
    fn rows_may_be_cut_anywhere(mask in masks(), width in 1..5000_usize) {
        prop_assert_eq!(brush_rle::encode_rows(mask.chunks(width)).unwrap(), brush_rle::encode(&mask).unwrap());
    }

    #[test]
    fn any_bytes_are_read_or_refused(announced in 0..100_000_u32, rest in prop::collection::vec(any::<u8>(), 0..300)) {
        let rle = [announced.to_be_bytes().as_slice(), &rest].concat();
        if let Ok(values) = brush_rle::decode_values(&rle, 50_000) {
            prop_assert_eq!(values.len(), announced as usize);
        }
        if let Ok(mask) = brush_rle::decode(&rle, announced / 4, 1, 20_000) {
            prop_assert_eq!(mask.len(), announced as usize / 4);
        }
    }
}

//! Brush RLE from anyone: read or refused, and what was read survives being written again.

#![no_main]

use label_studio_sdk::brush_rle;
use libfuzzer_sys::fuzz_target;

const MAX_PIXELS: u64 = 1 << 16;

fuzz_target!(|rle: &[u8]| {
    if let Ok(values) = brush_rle::decode_values(rle, 4 * MAX_PIXELS) {
        let bytes: Option<Vec<u8>> = values
            .iter()
            .map(|&value| u8::try_from(value).ok())
            .collect();
        if let Some(bytes) = bytes {
            let again = brush_rle::encode_values(&bytes).expect("few values can be written");
            assert_eq!(brush_rle::decode_values(&again, 4 * MAX_PIXELS), Ok(values));
        }
    }
    let announced = rle
        .first_chunk()
        .map_or(0, |bytes| u32::from_be_bytes(*bytes));
    let width = announced / 4;
    if let Ok(mask) = brush_rle::decode(rle, width, 1, MAX_PIXELS) {
        let again =
            brush_rle::encode_mask(width, 1, &mask).expect("a mask that was read can be written");
        assert_eq!(brush_rle::decode(&again, width, 1, MAX_PIXELS), Ok(mask));
    }
});

//! Brush masks as SVG paths.

use std::fmt::Write as _;

use label_studio_sdk::brush_rle;
use serde_json::Value;

/// Largest mask that is drawn.
const MAX_PIXELS: u64 = 100_000_000;

/// Returns a path of one rectangle per run of painted pixels; `None` when the mask cannot be read.
pub(super) fn path(rle: &[Value], width: u32, height: u32) -> Option<String> {
    let bytes: Option<Vec<u8>> = rle
        .iter()
        .map(|byte| u8::try_from(byte.as_u64()?).ok())
        .collect();
    let mask = brush_rle::decode(&bytes?, width, height, MAX_PIXELS).ok()?;
    let mut path = String::from("<path stroke=\"none\" d=\"");
    for (y, row) in mask.chunks(width.max(1) as usize).enumerate() {
        let mut x = 0;
        while x < row.len() {
            let is_painted = |pixel: &u8| *pixel > 0;
            let n_blank = row[x..]
                .iter()
                .take_while(|pixel| !is_painted(pixel))
                .count();
            let start = x + n_blank;
            let n_painted = row[start..]
                .iter()
                .take_while(|pixel| is_painted(pixel))
                .count();
            if n_painted > 0 {
                // Writing to a string cannot fail.
                let _ = write!(path, "M{start} {y}h{n_painted}v1h-{n_painted}z");
            }
            x = start + n_painted;
        }
    }
    path += "\"/>";
    Some(path)
}

//! What a small file can make the decoder take.
#![cfg(target_os = "linux")]

use std::{fs, iter};

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use label_studio_vision::images::{Limits, decode};

/// Returns the most memory that this process has held, in MiB.
fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib: u64 = line
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    kib / 1024
}

/// Returns a zlib stream of `n_matches` x 258 + 1 zeros: a fixed Huffman block of matches of the
/// greatest length.
fn zeros(n_matches: usize) -> Vec<u8> {
    let block = [true, true, false];
    // The literal 0 is 00110000, the length 258 is 11000101, the distance 1 is 00000, and the end
    // is 0000000.
    let literal = [false, false, true, true, false, false, false, false];
    let length = [true, true, false, false, false, true, false, true];
    let matches = iter::repeat_n(length.into_iter().chain([false; 5]), n_matches).flatten();
    let bits = block
        .into_iter()
        .chain(literal)
        .chain(matches)
        .chain([false; 7]);
    let bits: Vec<bool> = bits.collect();
    let byte = |bits: &[bool]| {
        (0..)
            .zip(bits)
            .map(|(place, bit)| u8::from(*bit) << place)
            .sum()
    };
    let checksum = u32::try_from((n_matches * 258 + 1) % 65_521).unwrap() << 16 | 1;
    let packed: Vec<u8> = bits.chunks(8).map(byte).collect();
    [&[0x78, 0x01], &packed[..], &checksum.to_be_bytes()].concat()
}

fn chunk(kind: &[u8], content: &[u8]) -> Vec<u8> {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    };
    let named = [kind, content].concat();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    let crc = !named.iter().fold(u32::MAX, step);
    [&length[..], &named, &crc.to_be_bytes()].concat()
}

#[test]
fn a_colour_profile_that_unpacks_to_hundreds_of_megabytes_takes_no_memory() {
    let mut png = Vec::new();
    PngEncoder::new(&mut png)
        .write_image(&[7; 12], 2, 2, ExtendedColorType::Rgb8)
        .unwrap();
    let profile = [b"profile\0\0", &zeros(500_000)[..]].concat();
    // Behind the header, which ends at byte 33.
    png.splice(33..33, chunk(b"iCCP", &profile));
    assert!(
        png.len() < 4 << 20,
        "{} bytes would become 123 MiB",
        png.len()
    );
    let before = peak_mib();
    let image = decode(&png, &Limits::default()).unwrap();
    assert_eq!(image.as_raw(), &[7; 12]);
    let taken = peak_mib() - before;
    assert!(taken < 60, "{taken} MiB");
}

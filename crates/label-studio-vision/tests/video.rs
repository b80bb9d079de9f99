//! Videos through ffmpeg: frame numbers, and files and programs that are no use.

use std::{
    error::Error as _,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use label_studio_vision::{
    images::RgbImage,
    video::{Frames, Numbering, Video, VideoError, VideoReader},
};
use serde_json::Value;
use tempfile::TempDir;

/// Sides of the blocks that show a frame's number.
const BLOCK: u32 = 16;
const N_FRAMES: usize = 40;
/// A clip of 40 frames whose index comes first.
const WHOLE: &str = "b_frames.mp4";

fn clip(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/videos");
    folder.join(name)
}

fn opencv() -> Value {
    serde_json::from_slice(&fs::read(clip("opencv.json")).unwrap()).unwrap()
}

/// The number that is burned into a frame.
fn number(frame: &RgbImage) -> u64 {
    let bits = (0..frame.width() / BLOCK).map(|bit| {
        let pixel = frame.get_pixel(bit * BLOCK + BLOCK / 2, BLOCK / 2);
        u64::from(pixel.0[1] > 128) << bit
    });
    bits.sum()
}

fn open(name: &str) -> Video {
    VideoReader::default().open(&clip(name)).unwrap()
}

fn numbers(video: &Video, numbering: Numbering) -> Vec<u64> {
    let mut frames = VideoReader::default().frames(video, numbering).unwrap();
    let mut numbers = Vec::new();
    while let Some(frame) = frames.next_frame(&|| false).unwrap() {
        assert_eq!(frame.dimensions(), (video.width, video.height));
        numbers.push(number(&frame));
        assert_eq!(frames.n_frames(), numbers.len() as u64);
    }
    numbers
}

/// Reads a video to its end; the error that comes.
fn failure(reader: &VideoReader, path: &Path) -> VideoError {
    let read = || {
        let video = reader.open(path)?;
        let mut frames = reader.frames(&video, Numbering::EveryFrame)?;
        while frames.next_frame(&|| false)?.is_some() {}
        Ok(())
    };
    read().unwrap_err()
}

/// A program of a few lines of shell script.
fn program(folder: &TempDir, script: &str) -> PathBuf {
    let path = folder.path().join("program");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn every_frame_has_the_number_that_opencv_gives_it() {
    for (name, expected) in opencv().as_object().unwrap() {
        let video = open(name);
        let size = [video.width, video.height].map(Value::from);
        assert_eq!(expected["size"].as_array().unwrap(), &size, "{name}");
        let found: Vec<_> = numbers(&video, Numbering::EveryFrame)
            .into_iter()
            .map(Value::from)
            .collect();
        assert_eq!(expected["numbers"].as_array().unwrap(), &found, "{name}");
        assert_eq!(
            video.has_variable_rate,
            name.starts_with("variable"),
            "{name}"
        );
        if !video.has_variable_rate {
            let rate = expected["rate"].as_f64().unwrap();
            assert!(
                (video.rate - rate).abs() < 0.01 * rate,
                "{name}: {}",
                video.rate
            );
            assert_eq!(
                Numbering::of(&video, Some(24.0)),
                Numbering::EveryFrame,
                "{name}"
            );
        }
    }
}

#[test]
fn frames_of_a_variable_rate_are_those_that_the_editor_shows_at_each_tick() {
    for name in ["variable.mp4", "variable.mkv"] {
        let video = open(name);
        assert!(video.has_variable_rate, "{name}: {video:?}");
        let numbering = Numbering::of(&video, Some(25.0));
        assert_eq!(numbering, Numbering::AtRate(25.0));
        let found = numbers(&video, numbering);
        let tick = |frame: u64| frame + frame / 5 * 3;
        let shown = |at: u64| (0..N_FRAMES as u64).rev().find(|frame| tick(*frame) <= at);
        let expected: Vec<_> = (0..=tick(N_FRAMES as u64 - 1))
            .map(|at| shown(at).unwrap())
            .collect();
        let n_ticks = expected.len();
        assert_eq!(found[..n_ticks], expected, "{name}");
        assert!(found.len() <= n_ticks + 3, "{name}: {found:?}");
    }
    let without_tag = Numbering::of(&open("variable.mp4"), None);
    assert!(matches!(without_tag, Numbering::AtRate(rate) if rate > 10.0 && rate < 25.0));
}

#[test]
fn a_file_without_moving_images_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.wav");
    let mut wav = b"RIFF\x24\x10\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\x10\0\0".to_vec();
    wav.resize(wav.len() + 0x1000, 0);
    fs::write(&path, wav).unwrap();
    let error = failure(&VideoReader::default(), &path).to_string();
    assert!(
        error.ends_with("has no video stream, only sound"),
        "{error}"
    );
    for (name, bytes) in [("x.mp4", &b"<html>Log in</html>"[..]), ("empty.mp4", b"")] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = failure(&VideoReader::default(), &path);
        assert!(matches!(error, VideoError::Unusable { .. }), "{error}");
    }
    let missing = failure(&VideoReader::default(), &folder.path().join("none.mp4"));
    assert!(matches!(missing, VideoError::Read { .. }), "{missing}");
}

#[test]
fn a_list_of_other_files_is_no_video() {
    let folder = tempfile::tempdir().unwrap();
    let clip = clip(WHOLE).display().to_string();
    for (name, text) in [
        (
            "list.m3u8",
            format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{clip}\n#EXT-X-ENDLIST\n"),
        ),
        ("list.mp4", format!("ffconcat version 1.0\nfile '{clip}'\n")),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let error = failure(&VideoReader::default(), &path);
        assert!(
            matches!(error, VideoError::Unusable { .. }),
            "{name}: {error}"
        );
    }
}

#[test]
fn a_video_that_ends_before_its_header_says_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut short.mp4");
    let whole = fs::read(clip(WHOLE)).unwrap();
    // The index comes first, so that the header is whole.
    let data = whole.windows(4).position(|part| part == b"mdat").unwrap();
    let kept = data + (whole.len() - data) / 2;
    fs::write(&path, &whole[..kept]).unwrap();
    let error = failure(&VideoReader::default(), &path);
    assert!(matches!(error, VideoError::Truncated { .. }), "{error}");
    fs::write(&path, &whole[..200]).unwrap();
    let error = failure(&VideoReader::default(), &path);
    let is_useless = matches!(
        error,
        VideoError::Unusable { .. } | VideoError::NoVideoStream { .. }
    );
    assert!(is_useless, "{error}");
}

#[test]
fn a_header_of_ten_hours_on_a_short_video_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ten hours.webm");
    let mut bytes = fs::read(clip("vp9.webm")).unwrap();
    // The element Duration: its number, its length of 8 bytes, and milliseconds.
    let at = bytes
        .windows(3)
        .position(|part| part == [0x44, 0x89, 0x88])
        .unwrap()
        + 3;
    bytes[at..at + 8].copy_from_slice(&36e6_f64.to_be_bytes());
    fs::write(&path, bytes).unwrap();
    let error = failure(&VideoReader::default(), &path).to_string();
    assert!(error.contains("its header says 36000.0 s"), "{error}");
}

#[test]
fn frames_with_too_many_pixels_are_refused_before_any_is_decoded() {
    let reader = VideoReader {
        max_pixels: 96 * 32 - 1,
        ffmpeg: "no-such-program".into(),
        ..VideoReader::default()
    };
    let error = failure(&reader, &clip(WHOLE)).to_string();
    assert!(error.contains("MAX_VIDEO_PIXELS"), "{error}");
}

#[test]
fn a_missing_program_is_named_with_its_setting() {
    let without = |ffmpeg: &str, ffprobe: &str| VideoReader {
        ffmpeg: ffmpeg.into(),
        ffprobe: ffprobe.into(),
        ..VideoReader::default()
    };
    for (reader, setting) in [
        (without("no-such-program", "ffprobe"), "FFMPEG_CMD"),
        (without("ffmpeg", "no-such-program"), "FFPROBE_CMD"),
    ] {
        let error = failure(&reader, &clip(WHOLE));
        assert!(error.to_string().contains(setting), "{error}");
        assert!(error.source().is_some(), "the system's error is kept");
    }
}

#[test]
fn a_decoder_that_is_killed_gives_an_error_not_a_shorter_video() {
    let folder = tempfile::tempdir().unwrap();
    let script = "head -c 9216 /dev/zero; kill -9 $$";
    let reader = VideoReader {
        ffmpeg: program(&folder, script),
        ..VideoReader::default()
    };
    let error = failure(&reader, &clip(WHOLE));
    assert!(matches!(error, VideoError::Program(_)), "{error}");
    assert!(error.to_string().contains("signal: 9"), "{error}");
}

#[test]
fn a_caller_that_cancels_waits_for_no_decoder() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo $$ > $(dirname $0)/id; head -c 9216 /dev/zero; exec tail -f /dev/null";
    let reader = VideoReader {
        ffmpeg: program(&folder, script),
        ..VideoReader::default()
    };
    let video = open(WHOLE);
    let mut frames: Frames = reader.frames(&video, Numbering::EveryFrame).unwrap();
    assert!(frames.next_frame(&|| false).unwrap().is_some());
    let started = Instant::now();
    let is_cancelled = || started.elapsed() > Duration::from_millis(100);
    let error = frames.next_frame(&is_cancelled).unwrap_err();
    assert!(matches!(error, VideoError::Cancelled), "{error}");
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
    let id = fs::read_to_string(folder.path().join("id")).unwrap();
    let process = Path::new("/proc").join(id.trim());
    while process.exists() {
        assert!(
            started.elapsed() < Duration::from_secs(1),
            "the decoder runs still"
        );
        std::thread::yield_now();
    }
}

#[test]
fn frames_that_are_not_taken_are_not_decoded() {
    let folder = tempfile::tempdir().unwrap();
    // Endless; says how many frames were taken from it.
    let script = "while head -c 9216 /dev/zero; do echo >> $(dirname $0)/frames; done";
    let reader = VideoReader {
        ffmpeg: program(&folder, script),
        ..VideoReader::default()
    };
    let video = open(WHOLE);
    let mut frames = reader.frames(&video, Numbering::EveryFrame).unwrap();
    for _ in 0..50 {
        assert!(frames.next_frame(&|| false).unwrap().is_some());
    }
    drop(frames);
    let taken = fs::read(folder.path().join("frames")).unwrap().len();
    // What waits: a pipe of 64 KiB, two frames, and one on its way.
    assert!(taken < 50 + 7 + 4, "{taken} frames were made");
}

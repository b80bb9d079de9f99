//! Audio through ffmpeg: what is read, and what is refused and why.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use label_studio_audio::{
    reading::{AudioError, AudioReader, ReadingArgs},
    windows::Samples,
};
use tempfile::TempDir;

const RATE: u32 = 16_000;

fn args() -> ReadingArgs {
    ReadingArgs {
        ffmpeg_cmd: PathBuf::from("ffmpeg"),
        ffmpeg_timeout: Duration::from_secs(60),
        max_audio_seconds: Duration::from_secs(100),
    }
}

fn reader() -> AudioReader {
    AudioReader::find(&args()).expect("ffmpeg is installed: make programs")
}

/// A WAV file with 16-bit samples.
fn wav(rate: u32, channels: &[Vec<i16>]) -> Vec<u8> {
    let n_channels = u16::try_from(channels.len()).unwrap();
    let mut data = Vec::new();
    for idx in 0..channels[0].len() {
        for channel in channels {
            data.extend(channel[idx].to_le_bytes());
        }
    }
    let n_bytes = u32::try_from(data.len()).unwrap();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + n_bytes).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend(1_u16.to_le_bytes());
    file.extend(n_channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(n_channels) * 2).to_le_bytes());
    file.extend((n_channels * 2).to_le_bytes());
    file.extend(16_u16.to_le_bytes());
    file.extend(b"data");
    file.extend(n_bytes.to_le_bytes());
    file.extend(data);
    file
}

fn tone(n_samples: usize, level: i16) -> Vec<i16> {
    let sample = |idx: usize| if idx % 40 < 20 { level } else { -level };
    (0..n_samples).map(sample).collect()
}

fn saved(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn read(reader: &AudioReader, path: &Path) -> Result<Vec<f32>, AudioError> {
    let mut stream = reader.open(path, RATE)?;
    let mut samples = Vec::new();
    loop {
        let read = stream.read(5000)?;
        let has_ended = read.len() < 5000;
        samples.extend(read);
        if has_ended {
            return Ok(samples);
        }
    }
}

fn error(name: &str, bytes: &[u8]) -> AudioError {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(&folder, name, bytes);
    let error = read(&reader(), &path).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(name), "{text}");
    let folder = folder.path().to_str().unwrap();
    assert!(!text.contains(folder), "{text} names the folder");
    error
}

#[test]
fn samples_of_16_khz_and_one_channel_are_those_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let samples = tone(20_011, 8192);
    let path = saved(
        &folder,
        "one.wav",
        &wav(RATE, std::slice::from_ref(&samples)),
    );
    let expected: Vec<f32> = samples.iter().map(|&x| f32::from(x) / 32768.0).collect();
    assert_eq!(read(&reader(), &path).unwrap(), expected);
}

#[test]
fn channels_are_averaged() {
    let folder = tempfile::tempdir().unwrap();
    for n_channels in [2, 8] {
        let mut channels = vec![tone(4000, 16_384)];
        channels.resize(n_channels, vec![0; 4000]);
        let path = saved(&folder, "several.wav", &wav(RATE, &channels));
        let samples = read(&reader(), &path).unwrap();
        let level = 0.5 / f32::from(u16::try_from(n_channels).unwrap());
        assert_eq!(samples.len(), 4000);
        assert!(
            samples.iter().all(|x| (x.abs() - level).abs() < 1e-6),
            "{n_channels}"
        );
    }
}

#[test]
fn other_rates_are_resampled() {
    let folder = tempfile::tempdir().unwrap();
    for rate in [8000, 44_100, 48_000] {
        let path = saved(
            &folder,
            "rate.wav",
            &wav(rate, &[vec![3277; rate as usize]]),
        );
        let samples = read(&reader(), &path).unwrap();
        assert!(
            samples.len().abs_diff(16_000) <= 1,
            "{rate}: {}",
            samples.len()
        );
        let middle = &samples[4000..12_000];
        assert!(middle.iter().all(|x| (x - 0.1).abs() < 1e-3), "{rate}");
    }
}

#[test]
fn files_without_usable_audio_are_told_apart() {
    assert!(matches!(
        error("empty.wav", &wav(RATE, &[vec![]])),
        AudioError::Empty { .. }
    ));
    assert!(matches!(
        error("nothing.wav", b""),
        AudioError::Unreadable { .. }
    ));
    assert!(matches!(
        error("page.mp3", b"<html>Log in</html>"),
        AudioError::Unreadable { .. }
    ));
    assert!(matches!(
        error("head.wav", &wav(RATE, &[tone(400, 9)])[..20]),
        AudioError::Unreadable { .. }
    ));
    // A picture is media, too.
    let picture = b"P6\n2 2\n255\n012345678901";
    assert!(matches!(
        error("picture.ppm", picture),
        AudioError::NoAudio { .. }
    ));
}

#[test]
fn playlists_open_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    saved(&folder, "secret.wav", &wav(RATE, &[tone(4000, 9)]));
    for (name, text) in [
        (
            "list.m3u8",
            "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.wav\n#EXT-X-ENDLIST\n",
        ),
        ("list.ffconcat", "ffconcat version 1.0\nfile secret.wav\n"),
        ("list.txt", "file 'secret.wav'\n"),
    ] {
        let path = saved(&folder, name, text.as_bytes());
        let error = read(&reader(), &path).unwrap_err();
        assert!(
            matches!(error, AudioError::Unreadable { .. }),
            "{name}: {error}"
        );
    }
}

#[test]
fn names_are_no_addresses_and_no_options() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["-version.wav", "http:x.wav", "a%03d.wav", "ü b.wav"] {
        let path = saved(&folder, name, &wav(RATE, &[tone(1000, 9)]));
        assert_eq!(read(&reader(), &path).unwrap().len(), 1000, "{name}");
    }
}

#[test]
fn audio_that_is_too_long_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = saved(&folder, "long.wav", &wav(RATE, &[tone(20_000, 9)]));
    let reader = AudioReader::find(&ReadingArgs {
        max_audio_seconds: Duration::from_millis(900),
        ..args()
    });
    let error = read(&reader.unwrap(), &path).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("longer than 0.9 s (MAX_AUDIO_SECONDS)"),
        "{error}"
    );
}

#[test]
fn a_missing_program_is_named_with_its_setting() {
    let missing = ReadingArgs {
        ffmpeg_cmd: PathBuf::from("/nowhere/ffmpeg"),
        ..args()
    };
    let error = AudioReader::find(&missing).unwrap_err();
    let AudioError::Program(error) = error else {
        panic!("{error}");
    };
    assert!(error.to_string().contains("FFMPEG_CMD"), "{error}");
}

#[cfg(unix)]
mod other_programs {
    use std::os::unix::fs::PermissionsExt as _;

    use super::{
        AudioError, AudioReader, Duration, PathBuf, ReadingArgs, TempDir, args, error, fs, read,
        saved,
    };

    /// A reader whose ffmpeg is a script, which answers questions and then does `work`.
    fn scripted(folder: &TempDir, work: &str) -> AudioReader {
        let script =
            format!("#!/bin/sh\ncase \"$*\" in *-demuxers*|*-buildconf*) exit 0;; esac\n{work}\n");
        let path: PathBuf = saved(folder, "program", script.as_bytes());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        AudioReader::find(&ReadingArgs {
            ffmpeg_cmd: path,
            ffmpeg_timeout: Duration::from_millis(500),
            ..args()
        })
        .unwrap()
    }

    fn failure(work: &str) -> AudioError {
        let folder = tempfile::tempdir().unwrap();
        let path = saved(&folder, "a.wav", b"");
        read(&scripted(&folder, work), &path).unwrap_err()
    }

    #[test]
    fn a_killed_program_is_no_fault_of_the_file() {
        assert!(matches!(failure("kill -9 $$"), AudioError::Program(_)));
    }

    #[test]
    fn a_program_that_does_not_end_is_killed() {
        assert!(matches!(
            failure("exec sleep 100"),
            AudioError::TooSlow { .. }
        ));
    }

    #[test]
    fn a_program_that_prints_something_else_is_found_out() {
        let text = "echo this is no audio at all, but a long line";
        assert!(matches!(failure(text), AudioError::NotFfmpeg { .. }));
    }

    #[test]
    fn a_failure_in_the_middle_is_an_error() {
        let work = r"printf '.snd\0\0\0\030\377\377\377\377\0\0\0\006\0\0\076\200\0\0\0\001\0\0\0\0'
echo broken packet >&2; exit 1";
        let error = failure(work);
        assert!(error.to_string().contains("broken packet"), "{error}");
    }

    #[test]
    fn the_complaint_of_the_program_is_passed_on() {
        let error = error("noise.mp4", &[7; 3000]);
        assert!(error.to_string().contains("Invalid data"), "{error}");
    }
}

//! Features against those that NeMo's own front end made, see `fixtures/make.py`.

use std::{fs, path::Path};

use label_studio_audio::features::{FrontEnd, FrontEndOptions, Normalise, Padding};
use serde::Deserialize;

#[derive(Deserialize)]
struct Recorded {
    clip: String,
    front_end: String,
    rule: String,
    file: String,
    shape: (usize, usize),
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    fs::read(folder.join(name)).unwrap()
}

/// The samples of a 16-bit WAV file as Python's soundfile writes it.
fn clip(name: &str) -> Vec<f32> {
    let bytes = fixture(&format!("{name}.wav"));
    let samples = bytes[44..].as_chunks::<2>().0.iter();
    samples
        .map(|&bytes| f32::from(i16::from_le_bytes(bytes)) / 32768.0)
        .collect()
}

fn options(front_end: &str) -> FrontEndOptions {
    let default = FrontEndOptions::default();
    match front_end {
        "quartznet" => FrontEndOptions {
            n_mels: 64,
            window: 320,
            ..default
        },
        "conformer" => default,
        "streaming" => FrontEndOptions {
            normalise: Normalise::Nothing,
            ..default
        },
        "all" => FrontEndOptions {
            n_mels: 128,
            normalise: Normalise::AllFeatures,
            ..default
        },
        other => panic!("{other}"),
    }
}

#[test]
fn features_are_those_of_nemo() {
    let recorded: Vec<Recorded> = serde_json::from_slice(&fixture("features.json")).unwrap();
    assert!(recorded.len() > 12, "{} recorded", recorded.len());
    for Recorded {
        clip: name,
        front_end,
        rule,
        file,
        shape,
    } in recorded
    {
        let options = FrontEndOptions {
            padding: if rule == "old" {
                Padding::Mirrored
            } else {
                Padding::Zeros
            },
            ..options(&front_end)
        };
        let found = FrontEnd::new(options).unwrap().features(&clip(&name));
        assert_eq!(found.dim(), shape, "{file}");
        let expected = fixture(&file);
        let expected = expected.as_chunks::<4>().0.iter();
        let expected = expected.map(|&bytes| f32::from_le_bytes(bytes));
        let difference = found
            .iter()
            .zip(expected)
            .map(|(found, expected)| (found - expected).abs())
            .fold(0.0, f32::max);
        assert!(difference < 1e-4, "{file}: {difference}");
    }
}

#[test]
fn audio_of_less_than_a_hop_has_no_features() {
    let front_end = FrontEnd::new(FrontEndOptions::default()).unwrap();
    for n_samples in [0, 1, 159] {
        assert_eq!(front_end.features(&vec![0.5; n_samples]).dim(), (80, 0));
    }
    let one = front_end.features(&[0.5; 200]);
    assert_eq!(one.dim(), (80, 1));
    assert!(one.iter().all(|&value| value == 0.0), "{one}");
}

#[test]
fn silence_and_noise_stay_finite() {
    let front_end = FrontEnd::new(FrontEndOptions::default()).unwrap();
    for samples in [vec![0.0; 16_000], vec![1.0; 16_000], vec![f32::MAX; 4000]] {
        let features = front_end.features(&samples);
        assert!(features.iter().all(|value| value.is_finite()));
    }
}

#[test]
fn numbers_that_do_not_fit_are_refused() {
    let default = FrontEndOptions::default;
    for (options, named) in [
        (
            FrontEndOptions {
                n_mels: 0,
                ..default()
            },
            "features",
        ),
        (
            FrontEndOptions {
                hop: 0,
                ..default()
            },
            "window_stride",
        ),
        (
            FrontEndOptions {
                window: 600,
                ..default()
            },
            "n_fft",
        ),
        (
            FrontEndOptions {
                n_fft: usize::MAX,
                ..default()
            },
            "n_fft",
        ),
        (
            FrontEndOptions {
                log_guard: 0.0,
                ..default()
            },
            "log_zero_guard_value",
        ),
        (
            FrontEndOptions {
                high_frequency: Some(9000.0),
                ..default()
            },
            "highfreq",
        ),
    ] {
        let error = FrontEnd::new(options).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}

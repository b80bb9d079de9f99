//! What small models hear, against what NeMo heard with them, see `fixtures/make.py`.

mod support;

use label_studio_audio::features::Padding;
use label_studio_ml::{Value, serde_json};
use nemo_asr::{Recogniser, SpeechModel};
use support::{MODELS, clip, fixture, heard, recogniser, runtime};

fn numbers(value: &Value) -> Vec<usize> {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn tokens_and_their_times_are_those_of_nemo() {
    let heard = heard();
    let mut n_tokens = 0;
    for name in MODELS {
        let recogniser = recogniser(&fixture(name)).unwrap();
        for clip_name in ["long", "short"] {
            let expected = &heard[name][clip_name];
            let found = recogniser.hear(&clip(clip_name)).unwrap();
            let at = format!("{name} {clip_name}");
            assert_eq!(found.n_frames, expected["n_frames"], "{at}");
            let ids: Vec<_> = found.tokens.iter().map(|token| token.id).collect();
            let starts: Vec<_> = found.tokens.iter().map(|token| token.start).collect();
            assert_eq!(ids, numbers(&expected["ids"]), "{at}");
            assert_eq!(starts, numbers(&expected["frames"]), "{at}");
            n_tokens += ids.len();
        }
    }
    assert!(n_tokens > 100, "{n_tokens} tokens");
}

#[test]
fn scores_of_ctc_are_the_probabilities_of_nemo() {
    let heard = heard();
    for name in ["quartznet", "conformer_ctc"] {
        let expected: Vec<Vec<f64>> =
            serde_json::from_value(heard[name]["long"]["scores"].clone()).unwrap();
        let found = recogniser(&fixture(name))
            .unwrap()
            .hear(&clip("long"))
            .unwrap();
        for token in found.tokens {
            let rows = &expected[token.start..token.end];
            let sum: f64 = rows.iter().map(|row| row[token.id].exp()).sum();
            let mean = sum / f64::from(u32::try_from(rows.len()).unwrap());
            assert!(
                (mean - token.score).abs() < 1e-3,
                "{name} {token:?}, not {mean}"
            );
        }
    }
}

#[test]
fn the_old_rule_of_the_front_end_has_a_frame_more() {
    let model = SpeechModel::read(&fixture("quartznet"), "").unwrap();
    let mut front_end = model.config.front_end.clone();
    assert_eq!((front_end.n_mels, front_end.window), (64, 320));
    let new = Recogniser::load(&runtime(), model.clone(), front_end.clone(), 1).unwrap();
    front_end.padding = Padding::Mirrored;
    let old = Recogniser::load(&runtime(), model, front_end, 1).unwrap();
    let [new, old] = [new, old].map(|recogniser| recogniser.hear(&clip("long")).unwrap());
    assert_eq!((new.n_frames, old.n_frames), (260, 261));
}

#[test]
fn very_short_audio_is_heard_as_nothing() {
    for name in MODELS {
        let recogniser = recogniser(&fixture(name)).unwrap();
        for n_samples in [0, 1, 159] {
            let found = recogniser.hear(&vec![0.1; n_samples]).unwrap();
            assert_eq!(found.tokens, [], "{name} {n_samples}");
        }
        recogniser.hear(&[0.1; 400]).unwrap();
    }
}

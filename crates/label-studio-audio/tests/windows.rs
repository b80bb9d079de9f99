//! Windows of long audio.

use label_studio_audio::windows::{AllSamples, Samples, Window, WindowOptions, Windows};

const OPTIONS: WindowOptions = WindowOptions {
    rate: 1000,
    seconds: 10.0,
    overlap: 0.5,
};

fn windows(samples: Vec<f32>) -> Vec<Window> {
    let windows = Windows::new(AllSamples(samples), OPTIONS);
    windows.map(Result::unwrap).collect()
}

/// Sound with silence at some places, in samples.
fn sound(n_samples: usize, silences: &[std::ops::Range<usize>]) -> Vec<f32> {
    let level = |idx: usize| {
        if silences.iter().any(|part| part.contains(&idx)) {
            0.0
        } else {
            0.5
        }
    };
    let sign = |idx: usize| if idx % 4 < 2 { 1.0 } else { -1.0 };
    (0..n_samples).map(|idx| level(idx) * sign(idx)).collect()
}

/// Windows own each sample once, and hold the samples of the audio.
fn check(samples: &[f32], windows: &[Window]) {
    let mut end = 0;
    for window in windows {
        assert_eq!(window.own.start, end);
        end = window.own.end;
        let start = usize::try_from(window.start).unwrap();
        assert_eq!(window.samples, samples[start..start + window.samples.len()]);
        assert!(window.start <= window.own.start);
        assert!(window.own.end <= window.start + window.samples.len() as u64);
        assert!(window.samples.len() <= 10_000);
    }
    assert_eq!(end, samples.len() as u64);
}

#[test]
fn short_audio_is_one_window() {
    for n_samples in [1, 999, 10_000] {
        let samples = sound(n_samples, &[]);
        let found = windows(samples.clone());
        check(&samples, &found);
        assert_eq!(found.len(), 1, "{n_samples}");
    }
    assert_eq!(windows(Vec::new()), []);
}

#[test]
fn long_audio_is_cut_in_silence() {
    let samples = sound(25_000, &[7000..7400, 13_500..13_900]);
    let found = windows(samples.clone());
    check(&samples, &found);
    let starts: Vec<u64> = found.iter().map(|window| window.own.start).collect();
    assert!((7000..7400).contains(&starts[1]), "{starts:?}");
    assert!((13_500..13_900).contains(&starts[2]), "{starts:?}");
    assert!(found[1].begins_in_silence && found[2].begins_in_silence);
    assert_eq!(
        found[1].start, found[1].own.start,
        "silence needs no overlap"
    );
}

#[test]
fn windows_overlap_where_there_is_no_silence() {
    let samples = sound(25_000, &[]);
    let found = windows(samples.clone());
    check(&samples, &found);
    assert!(found.len() >= 3, "{}", found.len());
    for pair in found.windows(2) {
        assert!(!pair[1].begins_in_silence);
        assert_eq!(pair[1].own.start - pair[1].start, 500);
        let end = pair[0].start + pair[0].samples.len() as u64;
        assert_eq!(end - pair[0].own.end, 500);
    }
}

#[test]
fn digital_silence_is_cut_too() {
    let samples = vec![0.0; 31_000];
    let found = windows(samples.clone());
    check(&samples, &found);
    assert!(found.len() <= 4, "{} windows", found.len());
}

/// A source that counts what is held, and fails at its end.
struct Failing(usize);

impl Samples for Failing {
    type Error = String;

    fn read(&mut self, n_samples: usize) -> Result<Vec<f32>, String> {
        assert!(n_samples <= 10_001, "{n_samples} samples at a time");
        self.0 = self.0.checked_sub(n_samples).ok_or("no more")?;
        Ok(vec![0.1; n_samples])
    }
}

#[test]
fn an_error_ends_the_windows() {
    let mut windows = Windows::new(Failing(50_000), OPTIONS);
    let n_windows = windows.by_ref().take_while(Result::is_ok).count();
    assert!(n_windows > 3, "{n_windows}");
    assert!(windows.next().is_none());
}

//! Free text to labels, with the very ratios of Python's `difflib`.

use label_studio_sdk::{match_labels, similarity_ratio};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

/// A case of the reference vectors; its `lines` and `ratios` are those of the reference.
#[derive(Deserialize)]
struct Case {
    input: String,
    labels: Vec<String>,
    lines: Vec<String>,
    ratios: Vec<Vec<f64>>,
    matched: Vec<String>,
}

#[test]
fn matches_the_reference_vectors() {
    let read = |vectors: &str| {
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        serde_json::from_value::<Vec<Case>>(vectors["cases"].clone()).unwrap()
    };
    let recorded = read(include_str!("../../../vectors/core_match_labels.json"));
    let own = read(include_str!("../../../vectors/own_match_labels.json"));
    for case in recorded.into_iter().chain(own) {
        assert_eq!(
            match_labels(&case.input, &case.labels),
            case.matched,
            "{:?}",
            case.input
        );
        for (line, ratios) in case.lines.iter().zip(&case.ratios) {
            for (label, ratio) in case.labels.iter().zip(ratios) {
                let difference = similarity_ratio(line, label) - ratio;
                assert!(
                    difference.abs() < 1e-12,
                    "{line:?} and {label:?} differ by {difference}"
                );
            }
        }
    }
}

/// The fixture holds `[a, b, characters in SequenceMatcher(None, a, b).get_matching_blocks()]`, written by Python 3.11.
#[test]
fn ratios_equal_those_of_difflib() {
    let cases: Vec<(String, String, u32)> =
        serde_json::from_str(include_str!("fixtures/difflib_matches.json")).unwrap();
    for (a, b, n_matched) in cases {
        let n_chars = u32::try_from(a.chars().count() + b.chars().count()).unwrap();
        let ratio = if n_chars == 0 {
            1.0
        } else {
            2.0 * f64::from(n_matched) / f64::from(n_chars)
        };
        assert_eq!(
            similarity_ratio(&a, &b).to_bits(),
            ratio.to_bits(),
            "{a:?} and {b:?}"
        );
    }
}

#[test]
fn splits_lines_as_python_does() {
    let labels = ["a", "b"];
    let check = |text: &str, n_lines: usize| {
        assert_eq!(match_labels(text, &labels).len(), n_lines, "{text:?}");
    };
    check("", 0);
    check("\n", 1);
    check("a\n", 1);
    check("a\n\n", 2);
    check("a\r\n\rb", 3);
    check("a\n\rb", 3);
    check(
        "1\n2\r3\u{b}4\u{c}5\u{1c}6\u{1d}7\u{1e}8\u{85}9\u{2028}10\u{2029}11",
        11,
    );
    check("a\tb\u{1f}c\u{a0}d", 1);
}

#[test]
fn no_labels_match_nothing() {
    assert!(match_labels::<&str>("text", &[]).is_empty());
}

proptest! {
    #[test]
    fn ratios_lie_between_0_and_1(a in "[abc]{0,30}|.{0,30}", b in "[abc]{0,300}|.{0,30}") {
        let ratio = similarity_ratio(&a, &b);
        prop_assert!((0.0..=1.0).contains(&ratio), "{ratio}");
        prop_assert!(a != b || ratio > 0.999 || b.chars().count() >= 200);
    }

    #[test]
    fn the_first_of_the_highest_ratios_wins(line in "[a-d]{0,12}", labels in prop::collection::vec("[a-d]{0,12}", 1..6)) {
        let ratios: Vec<f64> = labels.iter().map(|label| similarity_ratio(&line, label)).collect();
        let highest = ratios.iter().copied().fold(f64::MIN, f64::max);
        let first = ratios.iter().position(|ratio| ratio.total_cmp(&highest).is_eq()).unwrap();
        let expected: Vec<&str> = if line.is_empty() { vec![] } else { vec![&labels[first]] };
        prop_assert_eq!(match_labels(&line, &labels), expected);
    }
}

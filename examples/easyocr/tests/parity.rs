//! Whole pages, compared with the real library on the same small models with random weights.

mod support;

use std::fs;

use label_studio_ml::{Value, json, serde_json, testing::TestClient};
use support::{FoundLine, backend, fixture, label_config, lines, results, url};

fn expected() -> Value {
    serde_json::from_slice(&fs::read(fixture("expected.json")).unwrap()).unwrap()
}

/// The flags of a case's options, and of the library's defaults for the others.
fn flags(options: &Value) -> Vec<String> {
    let mut flags = vec!["--score-threshold".to_owned(), "0".to_owned()];
    flags.extend(["--height-ths".to_owned(), "0.5".to_owned()]);
    for (name, value) in options.as_object().unwrap() {
        flags.push(format!("--{}", name.replace('_', "-")));
        flags.push(match value {
            Value::String(text) => text.clone(),
            Value::Array(numbers) => {
                let texts: Vec<_> = numbers.iter().map(ToString::to_string).collect();
                texts.join(",")
            }
            other => other.to_string(),
        });
    }
    flags
}

fn client(options: &Value) -> TestClient {
    let flags = flags(options);
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    backend(&flags)
}

fn check_case(case: &str) {
    let expected = expected();
    let client = client(&expected["options"][case]);
    let (mut n_lines, mut n_equal) = (0, 0);
    for (page, cases) in expected["pages"].as_object().unwrap() {
        let image = json!({ "image": url(&format!("{page}.png")) });
        let results = results(&client, &label_config(), &[image]);
        let found = lines(&results[0]);
        let expected = cases[case].as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "{case} {page}: {found:?}");
        let limits = ["original_width", "original_height"];
        let limits = limits.map(|side| results[0]["result"][0][side].as_f64());
        for (line, expected) in found.iter().zip(expected) {
            let FoundLine {
                corners,
                text,
                score,
            } = line;
            let mut largest = 0.0_f64;
            for (corner, expected) in corners.iter().zip(expected[0].as_array().unwrap()) {
                for (axis, pixels) in corner.iter().enumerate() {
                    let expected = expected[axis].as_f64().unwrap();
                    let expected = expected.clamp(0.0, limits[axis].unwrap());
                    largest = largest.max((pixels - expected).abs());
                }
            }
            assert!(largest < 1.01, "{case} {page}: {line:?} {expected}");
            // Random weights read something else in a crop that differs by a pixel, or by the
            // rounding of a rotation.
            let is_upright = (corners[0][1] - corners[1][1]).abs() < 1e-9;
            if largest > 1e-6 || !is_upright {
                continue;
            }
            assert_eq!(Some(text.as_str()), expected[1].as_str(), "{case} {page}");
            let expected = expected[2].as_f64().unwrap();
            assert!(
                (score - expected).abs() < 1e-2,
                "{case} {page}: {line:?} {expected}"
            );
            n_equal += 1;
        }
        n_lines += found.len();
    }
    assert!(
        2 * n_equal > n_lines && n_equal >= 5,
        "{case}: {n_equal} of {n_lines} lines"
    );
}

#[test]
fn pages_are_read_as_the_library_reads_them() {
    check_case("default");
}

#[test]
fn beams_are_followed_as_the_library_follows_them() {
    check_case("beam");
}

#[test]
fn beams_of_words_are_followed_as_the_library_follows_them() {
    check_case("words");
}

#[test]
fn the_best_of_four_directions_is_the_librarys() {
    check_case("rotation");
}

#[test]
fn words_are_joined_as_strictly_as_in_the_library() {
    check_case("strict");
}

#[test]
fn images_are_scaled_down_as_in_the_library() {
    check_case("small");
}

#[test]
fn images_are_enlarged_as_in_the_library() {
    check_case("large");
}

#[test]
fn characters_are_allowed_and_blocked_as_in_the_library() {
    check_case("digits");
    check_case("no_letters");
}

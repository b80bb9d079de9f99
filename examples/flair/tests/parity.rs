//! Words and entities are those of Flair, with random weights.

use std::{fs, path::Path};

use flair::Tagger;
use label_studio_ml::{Value, serde_json};

fn check(name: &str) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let tagger = Tagger::read(&fixtures.join(name)).unwrap();
    let json = fs::read(fixtures.join(format!("{name}.json"))).unwrap();
    let expected: Vec<Value> = serde_json::from_slice(&json).unwrap();
    let texts: Vec<String> = expected
        .iter()
        .map(|case| case["text"].as_str().unwrap().to_owned())
        .collect();
    let mut n_entities = 0;
    for ((text, case), found) in texts
        .iter()
        .zip(&expected)
        .zip(tagger.find_entities(&texts))
    {
        let words: Vec<_> = tagger
            .words(text)
            .into_iter()
            .map(|(word, ..)| word)
            .collect();
        assert_eq!(
            serde_json::json!(words),
            case["tokens"],
            "words of {text:?}"
        );
        let cleaned = flair::Cleaned::new(text);
        assert_eq!(cleaned.text(), case["cleaned"]);
        let wanted = case["entities"].as_array().unwrap();
        let places = |found: &[label_studio_text::regions::Entity]| -> Vec<_> {
            let places = found.iter();
            places
                .map(|entity| (entity.start, entity.end, entity.label.clone()))
                .collect()
        };
        let expected: Vec<_> = wanted
            .iter()
            .map(|entity| {
                let number = |idx: usize| usize::try_from(entity[idx].as_u64().unwrap()).unwrap();
                let (start, end) = cleaned.original(number(0), number(1)).unwrap();
                (start, end, entity[2].as_str().unwrap().to_owned())
            })
            .collect();
        assert_eq!(places(&found), expected, "entities of {text:?}");
        for (entity, wanted) in found.iter().zip(wanted) {
            let difference = entity.score - wanted[3].as_f64().unwrap();
            assert!(difference.abs() < 1e-4, "{text:?} {entity:?} {wanted}");
        }
        n_entities += found.len();
    }
    assert!(n_entities > 100, "there is something to compare");
}

#[test]
fn a_crf_with_words_and_characters() {
    check("crf");
}

#[test]
fn the_best_tag_of_each_token_with_models_of_several_layers() {
    check("softmax");
}

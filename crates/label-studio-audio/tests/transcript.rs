//! Text, words and segments.

use label_studio_audio::transcript::{SegmentOptions, TimedToken, Transcript, Vocabulary};

fn transcript(tokens: &[(&str, f64, f64, f64)]) -> Transcript {
    let token = |&(text, start, end, score): &(&str, f64, f64, f64)| TimedToken {
        text: text.to_owned(),
        start,
        end,
        score,
    };
    Transcript {
        tokens: tokens.iter().map(token).collect(),
        duration: 10.0,
    }
}

fn vocabulary(pieces: &[&str]) -> Vocabulary {
    Vocabulary::new(pieces.iter().map(|&piece| piece.to_owned())).unwrap()
}

fn texts(vocabulary: &Vocabulary) -> Vec<&str> {
    (0..vocabulary.len())
        .map(|id| vocabulary.text(id))
        .collect()
}

#[test]
fn pieces_of_each_kind_become_text() {
    let pieces = vocabulary(&["<unk>", "▁the", "re", "▁", "<blk>"]);
    assert_eq!(texts(&pieces), [" ⁇ ", " the", "re", " "]);
    assert_eq!(texts(&vocabulary(&["the", "##re"])), [" the", "re"]);
    assert_eq!(texts(&vocabulary(&[" ", "a", "'"])), [" ", "a", "'"]);
    assert_eq!(pieces.text(99), "");
}

#[test]
fn lists_with_numbers_are_read() {
    let read = Vocabulary::of_lines("<unk> 0\r\n▁a 1\n  2\n<blk> 3\n").unwrap();
    assert_eq!(texts(&read), [" ⁇ ", " a", " "]);
    for wrong in ["", "a\nb\n", "a 0\nb 2\n", "<blk> 0\na 1\n"] {
        assert!(Vocabulary::of_lines(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn words_have_the_times_of_their_tokens() {
    let said = transcript(&[
        (" he", 1.0, 1.1, 0.9),
        ("llo", 1.2, 1.3, 0.5),
        (" ", 1.5, 1.6, 0.3),
        ("you", 2.0, 2.5, 0.8),
    ]);
    assert_eq!(said.text(), "hello you");
    assert!((said.score() - 0.625).abs() < 1e-9);
    let words = said.words();
    let found: Vec<_> = words
        .iter()
        .map(|word| (word.text.as_str(), word.start, word.end))
        .collect();
    assert_eq!(found, [("hello", 1.0, 1.3), ("you", 2.0, 2.5)]);
    assert!((words[0].score - 0.7).abs() < 1e-9);
}

#[test]
fn segments_end_with_sentences_and_pauses() {
    let said = transcript(&[
        (" Yes", 0.0, 0.2, 0.9),
        (".", 0.2, 0.2, 0.9),
        (" It", 0.3, 0.5, 0.9),
        (" is", 0.6, 0.7, 0.9),
        (" now", 3.0, 3.2, 0.9),
    ]);
    let segments = said.segments(SegmentOptions { gap: 1.0 });
    let found: Vec<_> = segments.iter().map(|part| part.text.as_str()).collect();
    assert_eq!(found, ["Yes.", "It is", "now"]);
    assert_eq!((segments[1].start, segments[1].end), (0.3, 0.7));
}

#[test]
fn nothing_said_is_an_empty_text() {
    let nothing = transcript(&[]);
    assert_eq!((nothing.text().as_str(), nothing.score()), ("", 0.0));
    assert_eq!(nothing.segments(SegmentOptions::default()), []);
}

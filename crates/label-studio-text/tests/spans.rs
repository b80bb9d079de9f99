//! Labels of tokens to parts of a text and back.

use label_studio_text::{
    spans::{Part, Tag, TokenLabel, Windows, spans, tags},
    tokens::Tokenizer,
};

type Token<'a> = (&'a str, f64, usize, usize);

fn check(tokens: &[Token<'_>], expected: &[Token<'_>]) {
    let tokens: Vec<_> = tokens
        .iter()
        .map(|(label, score, start, end)| TokenLabel {
            label,
            score: *score,
            start: *start,
            end: *end,
        })
        .collect();
    let found = spans(&tokens);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (span, (label, score, start, end)) in found.iter().zip(expected) {
        assert_eq!((span.label, span.start, span.end), (*label, *start, *end));
        assert!((span.score - score).abs() < 1e-9, "{span:?}");
    }
}

#[test]
fn tokens_of_one_label_become_one_span_with_their_mean_score() {
    check(
        &[
            ("B-PER", 0.99, 10, 15),
            ("O", 1.0, 16, 18),
            ("B-LOC", 0.9, 44, 47),
            ("I-LOC", 0.8, 48, 52),
        ],
        &[("PER", 0.99, 10, 15), ("LOC", 0.85, 44, 52)],
    );
    check(
        &[("PER", 0.9, 0, 5), ("I-PER", 0.7, 6, 10)],
        &[("PER", 0.8, 0, 10)],
    );
    check(
        &[("I-A", 0.3, 0, 1), ("I-A", 0.6, 1, 2), ("I-A", 0.9, 2, 3)],
        &[("A", 0.6, 0, 3)],
    );
}

#[test]
fn a_span_ends_at_another_label_at_b_and_at_o() {
    check(
        &[("B-PER", 0.9, 0, 5), ("B-PER", 0.7, 6, 10)],
        &[("PER", 0.9, 0, 5), ("PER", 0.7, 6, 10)],
    );
    check(
        &[
            ("I-PER", 0.9, 0, 5),
            ("O", 0.9, 6, 7),
            ("I-PER", 0.7, 8, 10),
        ],
        &[("PER", 0.9, 0, 5), ("PER", 0.7, 8, 10)],
    );
    check(
        &[("I-A", 0.9, 0, 5), ("I-B", 0.7, 5, 6)],
        &[("A", 0.9, 0, 5), ("B", 0.7, 5, 6)],
    );
}

#[test]
fn a_piece_of_a_word_starts_no_span_and_special_tokens_count_for_nothing() {
    check(
        &[("B-PER", 0.9, 0, 3), ("B-PER", 0.7, 3, 5)],
        &[("PER", 0.8, 0, 5)],
    );
    check(
        &[
            ("B-PER", 0.5, 0, 0),
            ("B-PER", 0.9, 0, 3),
            ("B-PER", 0.1, 0, 0),
        ],
        &[("PER", 0.9, 0, 3)],
    );
    check(&[], &[]);
}

#[test]
fn tags_follow_the_characters() {
    let part = |label, start, end| Part { label, start, end };
    // "President Obama is ..." with special tokens around, and "Obama" in two pieces.
    let tokens = [(0, 0), (0, 9), (10, 13), (13, 15), (16, 18), (0, 0)];
    let found = tags(&[part("PER", 10, 15)], &tokens);
    let expected = [
        None,
        Some(Tag::Outside),
        Some(Tag::Begin("PER")),
        Some(Tag::Inside("PER")),
        Some(Tag::Outside),
        None,
    ];
    assert_eq!(found, expected);
    assert_eq!(Tag::Begin("PER").name(), "B-PER");
    // A span that cuts a token has it, and of overlapping ones the first counts.
    let found = tags(&[part("B", 12, 18), part("A", 11, 14)], &tokens[1..5]);
    let names: Vec<_> = found.into_iter().map(|tag| tag.unwrap().name()).collect();
    assert_eq!(names, ["O", "B-A", "I-A", "B-B"]);
}

#[test]
fn windows_use_every_token_of_the_text_once() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/tokens/tokenizer.json"
    );
    let text = "the cat sat on the mat ".repeat(9);
    let whole = Tokenizer::from_file(path)
        .unwrap()
        .encode(text.as_str())
        .unwrap();
    for n_shared in [0, 1, 2, 3] {
        let tokenizer = Tokenizer::from_file(path)
            .unwrap()
            .with_windows(10, n_shared)
            .unwrap();
        let encoding = tokenizer.encode(text.as_str()).unwrap();
        let windows = Windows::new(&encoding, n_shared);
        let used = windows.used();
        let tokens: Vec<_> = windows
            .iter()
            .zip(&used)
            .flat_map(|(window, used)| used.iter().map(|idx| window.get_offsets()[*idx]))
            .collect();
        let special = whole
            .get_special_tokens_mask()
            .iter()
            .zip(whole.get_offsets());
        let expected: Vec<_> = special
            .filter(|pair| *pair.0 == 0)
            .map(|pair| *pair.1)
            .collect();
        assert!(used.len() > 3);
        assert_eq!(tokens, expected, "{n_shared} shared tokens");
    }
}

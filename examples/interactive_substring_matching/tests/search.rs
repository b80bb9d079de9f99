//! The search by itself.

use interactive_substring_matching::{SearchOptions, occurrences};

const ANY_CASE: SearchOptions = SearchOptions {
    case_sensitive: false,
    whole_words: false,
};

fn check(text: &str, keyword: &str, options: SearchOptions, expected: &[(usize, usize)]) {
    let found: Vec<_> = occurrences(text, keyword, options)
        .into_iter()
        .map(|range| (range.start, range.end))
        .collect();
    assert_eq!(found, expected, "{keyword:?} in {text:?}");
}

#[test]
fn finds_literals_from_the_left_without_overlap() {
    check("aaaa", "aa", ANY_CASE, &[(0, 2), (2, 4)]);
    check("aabaabaab", "aabaab", ANY_CASE, &[(0, 6)]);
    check("abababcab", "ababc", ANY_CASE, &[(2, 7)]);
    check("(bar [bar \\d (BAR", "(bar", ANY_CASE, &[(0, 4), (13, 17)]);
    check("a", "ab", ANY_CASE, &[]);
    check("", "a", ANY_CASE, &[]);
    check("abc", "", ANY_CASE, &[]);
}

#[test]
fn offsets_are_code_points_of_the_original() {
    check("😀 Apple", "apple", ANY_CASE, &[(2, 7)]);
    check("İİ apple", "APPLE", ANY_CASE, &[(3, 8)]);
    check("İstanbul istanbul", "İstanbul", ANY_CASE, &[(0, 8)]);
    check("aİb", "İ", ANY_CASE, &[(1, 2)]);
}

#[test]
fn a_match_does_not_cut_a_code_point() {
    check("İ", "i", ANY_CASE, &[]);
    check("İ", "\u{307}", ANY_CASE, &[]);
}

#[test]
fn sigma_at_the_end_of_a_word_is_a_sigma() {
    check(
        "ΟΔΟΣ οδος οδοσ",
        "οδος",
        ANY_CASE,
        &[(0, 4), (5, 9), (10, 14)],
    );
}

#[test]
fn case_counts_when_asked() {
    let options = SearchOptions {
        case_sensitive: true,
        ..ANY_CASE
    };
    check("Apple apple", "apple", options, &[(6, 11)]);
}

#[test]
fn whole_words_end_where_words_end() {
    let options = SearchOptions {
        whole_words: true,
        ..ANY_CASE
    };
    check(
        "cat cats concat cat_1 cat.",
        "cat",
        options,
        &[(0, 3), (22, 25)],
    );
    check("été étés", "été", options, &[(0, 3)]);
    check(
        "C++ c++11 (c++)",
        "c++",
        options,
        &[(0, 3), (4, 7), (11, 14)],
    );
    check("İx x", "x", options, &[(3, 4)]);
}

#[test]
fn hostile_texts_take_linear_time() {
    let text = "a".repeat(1_000_000);
    let keyword = format!("{}b", "a".repeat(100_000));
    check(&text, &keyword, ANY_CASE, &[]);
}

#[test]
fn agrees_with_a_plain_search() {
    let mut state = 1_u32;
    let mut letters = |n: u32| -> String {
        let mut letter = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if state >> 31 == 0 { 'a' } else { 'b' }
        };
        (0..n).map(|_| letter()).collect()
    };
    for n in 1..60 {
        let (text, keyword) = (letters(200), letters(1 + n % 6));
        let expected: Vec<_> = text
            .match_indices(&keyword)
            .map(|(start, _)| (start, start + keyword.len()))
            .collect();
        check(&text, &keyword, ANY_CASE, &expected);
    }
}

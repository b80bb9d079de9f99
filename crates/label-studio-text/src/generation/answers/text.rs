//! Text of answers.

/// What a tokenizer of words leaves blanks before, as `clean_up_tokenization` of `transformers` takes them away.
const BLANKS: [(&str, &str); 10] = [
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
];

/// Takes blanks before punctuation away.
pub(in crate::generation) fn clean_up(text: &str) -> String {
    let mut text = text.to_owned();
    for (from, to) in BLANKS {
        if text.contains(from) {
            text = text.replace(from, to);
        }
    }
    text
}

/// Returns where the first of the texts that end an answer begins.
pub(in crate::generation) fn first_stop(text: &str, stop: &[String]) -> Option<usize> {
    let stop = stop.iter().filter(|stop| !stop.is_empty());
    stop.filter_map(|stop| text.find(stop.as_str())).min()
}

#[cfg(test)]
mod tests {
    use super::{clean_up, first_stop};

    #[test]
    fn blanks_before_punctuation_go() {
        let cases = [
            ("It is n't . Is it ?", "It isn't. Is it?"),
            (" , a ' b", ", a'b"),
            ("they 've 're", "they've're"),
            ("as it is.", "as it is."),
        ];
        for (text, cleaned) in cases {
            assert_eq!(clean_up(text), cleaned);
        }
    }

    #[test]
    fn the_earliest_stop_counts() {
        let stop = ["b".to_owned(), String::new(), "xa".to_owned()];
        assert_eq!(first_stop("xxab", &stop), Some(1));
        assert_eq!(first_stop("c", &stop), None);
    }
}

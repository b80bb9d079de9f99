//! Parts of long texts.

/// Characters of a part at most.
const MAX_CHARS: usize = 100_000;
/// Where a text is cut, the best place first.
const BORDERS: [&[&str]; 4] = [
    &["\n\n", "\r\n\r\n"],
    &["\n"],
    &[". ", "! ", "? ", "。", "！", "？"],
    &[" ", "\t"],
];

/// Cuts a text into parts, at borders of paragraphs or sentences if there are some in the second
/// half of a part. Nothing is left out between them.
pub(crate) fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((max, _)) = rest.char_indices().nth(MAX_CHARS) {
        let half = (max / 2..max).find(|at| rest.is_char_boundary(*at));
        let half = half.unwrap_or(max);
        let window = &rest[half..max];
        let cut = BORDERS.iter().find_map(|borders| {
            let ends = borders.iter().filter_map(|border| {
                let start = window.rfind(border)?;
                Some(half + start + border.len())
            });
            ends.max()
        });
        let (part, behind) = rest.split_at(cut.unwrap_or(max));
        parts.push(part);
        rest = behind;
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::{MAX_CHARS, parts};

    #[test]
    fn short_texts_stay_whole() {
        assert_eq!(parts(""), [""]);
        let longest = "é".repeat(MAX_CHARS);
        assert_eq!(parts(&longest), [longest.as_str()]);
    }

    #[test]
    fn long_texts_are_cut_at_the_best_border() {
        let check = |border: &str| {
            let text = format!(
                "{}{border}{}",
                "é. b ".repeat(15_000),
                "c d ".repeat(20_000)
            );
            let parts = parts(&text);
            assert!(parts[0].ends_with(border), "{border:?}");
            assert!(parts.iter().all(|part| part.chars().count() <= MAX_CHARS));
            assert_eq!(parts.concat(), text);
        };
        for border in ["\n\n", "\r\n\r\n", "\n"] {
            check(border);
        }
        let words = "word ".repeat(50_000);
        assert!(parts(&words).iter().all(|part| part.ends_with(' ')));
        let one_word = "é".repeat(250_000);
        assert_eq!(parts(&one_word).len(), 3);
    }
}

//! Which texts are kept from a training, to score it.

use std::collections::{BTreeMap, HashSet};

/// Fewest texts of which some are held out.
const MIN_TEXTS: usize = 20;
/// One text in so many is held out.
const ONE_IN: usize = 5;

/// Chooses a fifth of the texts of each label. A text that occurs several times is held out as a
/// whole. The choice depends on the texts alone, not on their order; below 20 texts none is held
/// out.
pub fn held_out_texts<'a>(samples: &[(&'a str, usize)]) -> HashSet<&'a str> {
    let mut by_label: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    let mut seen = HashSet::new();
    for (text, label) in samples {
        if seen.insert(*text) {
            by_label.entry(*label).or_default().push(*text);
        }
    }
    if seen.len() < MIN_TEXTS {
        return HashSet::new();
    }
    let chosen = by_label.into_values().flat_map(|mut texts| {
        texts.sort_by_key(|text| (hash(text), *text));
        let n = texts.len() / ONE_IN;
        texts.truncate(n);
        texts
    });
    chosen.collect()
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::held_out_texts;

    #[test]
    fn a_fifth_of_each_label_is_held_out_whatever_the_order() {
        let texts: Vec<String> = (0..40).map(|idx| format!("text {idx}")).collect();
        let mut samples: Vec<_> = texts
            .iter()
            .enumerate()
            .map(|(idx, text)| (text.as_str(), usize::from(idx >= 30)))
            .collect();
        let held_out = held_out_texts(&samples);
        let n_of = |label| {
            let of_label = samples.iter().filter(|sample| sample.1 == label);
            of_label
                .filter(|sample| held_out.contains(sample.0))
                .count()
        };
        assert_eq!((n_of(0), n_of(1)), (6, 2));
        samples.reverse();
        samples.push((&texts[0], 1));
        assert_eq!(held_out_texts(&samples), held_out);
    }
}

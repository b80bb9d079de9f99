//! Beam search that prefers the words of a dictionary.

use std::{collections::HashSet, hash::BuildHasher};

use ndarray::{Array2, ArrayView2, Axis};

use super::{Alphabet, beam::readings, best_path};

/// So many readings of a word are looked up, as in EasyOCR.
const MAX_READINGS: usize = 20;

/// Returns the most probable text, in which each word is the most probable reading that the
/// dictionary has, or the most probable one if it has none.
///
/// Words are parted where `space` is the best class; a text without such a class is one word.
/// `scores` and `width` are those of [`beam_search`](super::beam_search).
pub fn word_beam_search<S: BuildHasher>(
    scores: &ArrayView2<'_, f32>,
    alphabet: &Alphabet,
    width: usize,
    dictionary: &HashSet<String, S>,
) -> String {
    let space = alphabet.class(" ");
    let path = best_path(scores);
    let words = path.split(|step| Some(step.class) == space);
    let words = words.filter(|steps| !steps.is_empty()).map(|steps| {
        let times: Vec<usize> = steps.iter().map(|step| step.time).collect();
        let of_word: Array2<f32> = scores.select(Axis(0), &times);
        let mut readings = readings(&of_word.view(), alphabet, width);
        readings.truncate(MAX_READINGS);
        let known = readings.iter().position(|word| dictionary.contains(word));
        readings.swap_remove(known.unwrap_or(0))
    });
    words.collect::<Vec<_>>().join(" ")
}

//! CTC prefix beam search, as EasyOCR does it (after Hwang and Sung 2016,
//! <https://github.com/githubharald/CTCDecoder>, without a language model).

use std::collections::HashMap;

use ndarray::ArrayView2;

use super::Alphabet;

const BLANK: usize = 0;

/// A reading of the time steps so far. Blanks stay in it where they part two equal characters, and
/// at its end.
#[derive(Debug, Clone, Default)]
struct Beam {
    classes: Vec<usize>,
    total: f64,
    ends_in_character: f64,
    ends_in_blank: f64,
}

/// Readings of one time step, in the order in which they came up.
#[derive(Default)]
struct Beams {
    all: Vec<Beam>,
    by_classes: HashMap<Vec<usize>, usize>,
}

/// Returns the most probable text, following the `width` best readings from one time step to the
/// next. `scores` has a row of probabilities per time step and a column per class.
pub fn beam_search(scores: &ArrayView2<'_, f32>, alphabet: &Alphabet, width: usize) -> String {
    let readings = readings(scores, alphabet, width);
    readings.into_iter().next().unwrap_or_default()
}

/// Returns the texts of the readings after the last time step, best first. There is at least one.
pub(super) fn readings(
    scores: &ArrayView2<'_, f32>,
    alphabet: &Alphabet,
    width: usize,
) -> Vec<String> {
    let start = Beam {
        total: 1.0,
        ends_in_blank: 1.0,
        ..Beam::default()
    };
    let mut beams = vec![start];
    #[expect(clippy::cast_precision_loss, reason = "a few thousand classes")]
    let least = 0.5 / scores.ncols() as f64;
    for row in scores.outer_iter() {
        let likely: Vec<(usize, f64)> = (row.iter().enumerate())
            .map(|(class, &score)| (class, f64::from(score)))
            .filter(|&(_, score)| score >= least)
            .collect();
        let score_of = |class: usize| f64::from(row[class]);
        let mut next = Beams::default();
        for beam in beams.iter().take(width.max(1)) {
            let repeated = beam.classes.last().copied();
            let in_character =
                repeated.map_or(0.0, |class| beam.ends_in_character * score_of(class));
            let in_blank = beam.total * score_of(BLANK);
            let same = next.entry(&beam.classes);
            same.ends_in_character += in_character;
            same.ends_in_blank += in_blank;
            same.total += in_blank + in_character;
            for &(class, score) in &likely {
                let before = if repeated == Some(class) {
                    beam.ends_in_blank
                } else {
                    beam.total
                };
                let longer = next.entry(&followed_by(&beam.classes, class));
                longer.ends_in_character += score * before;
                longer.total += score * before;
            }
        }
        beams = next.all;
        beams.sort_by(|a, b| b.total.total_cmp(&a.total));
    }
    beams
        .iter()
        .map(|beam| text(&beam.classes, alphabet))
        .collect()
}

impl Beams {
    fn entry(&mut self, classes: &[usize]) -> &mut Beam {
        if let Some(&idx) = self.by_classes.get(classes) {
            return &mut self.all[idx];
        }
        let idx = self.all.len();
        self.by_classes.insert(classes.to_vec(), idx);
        self.all.push(Beam {
            classes: classes.to_vec(),
            ..Beam::default()
        });
        &mut self.all[idx]
    }
}

/// Adds a class to a reading, and drops a blank between two different characters.
fn followed_by(classes: &[usize], class: usize) -> Vec<usize> {
    let mut longer = classes.to_vec();
    match classes {
        [] | [.., BLANK] if class == BLANK => {}
        [.., before, BLANK] if *before != class => {
            longer.pop();
            longer.push(class);
        }
        _ => longer.push(class),
    }
    longer
}

fn text(classes: &[usize], alphabet: &Alphabet) -> String {
    let mut previous = None;
    alphabet.text(classes.iter().copied().filter(|&class| {
        let is_repeated = previous.replace(class) == Some(class);
        !is_repeated
    }))
}

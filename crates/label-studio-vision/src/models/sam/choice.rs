//! Choice among the masks of a decoder.

/// Choice among several masks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum MaskChoice {
    /// For a single click, which may mean a part or the whole, the best of the three candidates;
    /// else the one mask that is meant for several prompts.
    #[default]
    Auto,
    /// The one mask, also for a single click.
    Single,
    /// The best of the three candidates, also for several prompts.
    Best,
}

impl MaskChoice {
    /// Returns the index of the mask to take. `scores` hold one for each mask: the single one, the
    /// three candidates, or all four, the single one first; `n_points` counts clicks, corners and
    /// padding.
    pub(super) fn index(self, scores: &[f32], n_points: usize) -> usize {
        let candidates = match scores.len() {
            4 => 1..4,
            n_scores => 0..n_scores,
        };
        let wants_single = match self {
            Self::Auto => n_points > 2,
            Self::Single => true,
            Self::Best => false,
        };
        if scores.len() == 4 && wants_single {
            return 0;
        }
        // The first of equals, and never one without a score.
        candidates
            .filter(|&idx| !scores[idx].is_nan())
            .reduce(|best, idx| {
                if scores[idx] > scores[best] {
                    idx
                } else {
                    best
                }
            })
            .unwrap_or(0)
    }
}

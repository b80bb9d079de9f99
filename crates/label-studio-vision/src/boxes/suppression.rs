//! Non-maximum suppression.

use super::{RotatedBox, iou};

/// A candidate that a better one may suppress.
pub trait Candidate {
    /// Overlap with another candidate, from 0 to 1.
    fn overlap(&self, other: &Self) -> f64;
}

impl Candidate for [f64; 4] {
    fn overlap(&self, other: &Self) -> f64 {
        iou(*self, *other)
    }
}

impl Candidate for RotatedBox {
    fn overlap(&self, other: &Self) -> f64 {
        self.prob_iou(other)
    }
}

/// The boxes that suppress lower-scoring ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Suppressors {
    /// Those that stay: the usual, greedy way.
    #[default]
    Kept,
    /// All of them, also suppressed ones: Fast NMS (<https://arxiv.org/abs/1904.02689>), which
    /// Ultralytics uses for rotated boxes.
    All,
}

/// Suppression of boxes that overlap a better box of their class too much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suppression {
    /// The boxes that suppress lower-scoring ones.
    pub suppressors: Suppressors,
    /// A box with more overlap than this goes.
    pub max_overlap: f64,
    /// Boxes of different classes suppress each other.
    pub is_agnostic: bool,
    /// So many of the best boxes are looked at.
    pub max_candidates: usize,
    /// So many boxes stay at most.
    pub max_kept: usize,
}

impl Default for Suppression {
    /// The settings that Ultralytics predicts with.
    fn default() -> Self {
        Self {
            suppressors: Suppressors::Kept,
            max_overlap: 0.7,
            is_agnostic: false,
            max_candidates: 30_000,
            max_kept: 300,
        }
    }
}

impl Suppression {
    /// Returns the positions of the boxes that stay, best first; equal scores keep their order.
    ///
    /// `boxes`, `scores` and `classes` have one entry per box.
    pub fn keep<B: Candidate>(&self, boxes: &[B], scores: &[f64], classes: &[usize]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..boxes.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        order.truncate(self.max_candidates);
        let mut kept: Vec<usize> = Vec::new();
        for (rank, &candidate) in order.iter().enumerate() {
            if kept.len() == self.max_kept {
                break;
            }
            let better = match self.suppressors {
                Suppressors::Kept => &kept[..],
                Suppressors::All => &order[..rank],
            };
            let is_suppressed = better.iter().any(|&better| {
                (self.is_agnostic || classes[better] == classes[candidate])
                    && boxes[better].overlap(&boxes[candidate]) > self.max_overlap
            });
            if !is_suppressed {
                kept.push(candidate);
            }
        }
        kept
    }
}

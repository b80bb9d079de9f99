//! The boxes that a network found.

use label_studio_vision::boxes::Suppression;

use crate::Settings;

/// One box that a network found.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// Left, top, right and lower edge in pixels of the image.
    pub bounds: [f64; 4],
    /// Number of its class.
    pub class: usize,
    /// Score of the network, from 0 to 1.
    pub score: f64,
}

/// Keeps the best boxes of each class.
pub(super) fn suppressed(settings: &Settings, candidates: Vec<Detection>) -> Vec<Detection> {
    let boxes: Vec<_> = candidates
        .iter()
        .map(|candidate| candidate.bounds)
        .collect();
    let scores: Vec<_> = candidates.iter().map(|candidate| candidate.score).collect();
    let classes: Vec<_> = candidates.iter().map(|candidate| candidate.class).collect();
    let suppression = Suppression {
        max_overlap: settings.nms_threshold,
        max_kept: settings.max_boxes,
        ..Suppression::default()
    };
    let mut candidates: Vec<_> = candidates.into_iter().map(Some).collect();
    let kept = suppression.keep(&boxes, &scores, &classes).into_iter();
    kept.filter_map(|idx| candidates[idx].take()).collect()
}

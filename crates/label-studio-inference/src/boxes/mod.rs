//! Overlap and suppression of boxes.

//! From mask scores to regions.

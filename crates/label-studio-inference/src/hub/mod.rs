//! Weights from a local path or from a model hub.

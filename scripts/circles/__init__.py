"""Finds circles between the files of a Rust crate or of a Python package."""

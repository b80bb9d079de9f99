#!/usr/bin/env bash
# Runs all Rust tests: with cargo-nextest if it is installed or available as a binary, else with cargo test.
# usage: scripts/run_tests.sh [CARGO OPTION]...
set -euo pipefail

if ! command -v cargo-nextest >/dev/null && command -v cargo-binstall >/dev/null; then
  cargo binstall --no-confirm --quiet cargo-nextest || true
fi
if command -v cargo-nextest >/dev/null; then
  cargo nextest run "$@" --workspace --no-tests=warn
else
  cargo test "$@" --workspace --lib --bins --tests
fi
cargo test "$@" --workspace --doc --quiet

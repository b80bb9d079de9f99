#!/usr/bin/env bash
# Checks licences, banned crates and sources of all dependencies against deny.toml: with cargo-deny if it is
# installed or available as a binary, else with the shorter check of check_dependencies.py.
set -euo pipefail

if ! command -v cargo-deny >/dev/null && command -v cargo-binstall >/dev/null; then
  cargo binstall --no-confirm --quiet cargo-deny || true
fi
if command -v cargo-deny >/dev/null; then
  cargo deny --log-level warn check bans licenses sources
else
  python3 "$(dirname "${BASH_SOURCE[0]}")/check_dependencies.py"
fi

#!/usr/bin/env bash
# Installs what building and testing need and this machine lacks: a C compiler, git, Python and Rust.
set -euo pipefail

here="$(dirname "${BASH_SOURCE[0]}")"
"$here/install_packages.sh" cc:build-essential pkg-config:pkg-config git:git python3:python3

if ! command -v cargo >/dev/null; then
  if ! command -v rustup >/dev/null; then
    "$here/install_packages.sh" curl:curl :ca-certificates
    echo "installing Rust with rustup"
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --quiet --profile minimal
    export PATH="$HOME/.cargo/bin:$PATH"
  fi
  rustup show active-toolchain >/dev/null 2>&1 || rustup default stable
fi
for component in rustfmt clippy; do
  command -v "cargo-${component/rustfmt/fmt}" >/dev/null || rustup component add "$component"
done

#!/usr/bin/env bash
# Installs missing tools for building and testing: a C compiler, git, Python and Rust.
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

wanted="$(sed -nE 's/^rust-version = "(.*)"/\1/p' "$here/../Cargo.toml")"
found="$(cargo --version | cut -d ' ' -f 2)"
if ! printf '%s\n' "$wanted" "$found" | sort --version-sort --check=quiet; then
  echo "Rust $found is too old: $wanted or newer is needed. Run 'rustup update stable'; remove Debian's Rust first" >&2
  echo "(apt-get remove cargo rustc), then run this again." >&2
  exit 1
fi
for component in rustfmt clippy; do
  if command -v "cargo-${component/rustfmt/fmt}" >/dev/null; then continue; fi
  if ! command -v rustup >/dev/null; then
    echo "please install first: $component, or Rust with rustup (https://rustup.rs) instead of $(command -v cargo)" >&2
    exit 1
  fi
  rustup component add "$component"
done

#!/usr/bin/env bash
# Checks the invariants of ARCHITECTURE.md that a program can check; prints one line for each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

n_broken=0

# holds NUMBER TEXT FOUND: an invariant holds when nothing was found that breaks it.
holds() {
  if [ -z "$3" ]; then
    echo "ok    invariant $1: $2"
  else
    echo "FAIL  invariant $1: $2"
    echo "        ${3//$'\n'/$'\n'        }"
    n_broken=$((n_broken + 1))
  fi
}

# dependencies PACKAGE OPTION...: names of all crates that end up in the package.
dependencies() {
  local package="$1"
  shift
  cargo tree --package "$package" "$@" --edges normal --prefix none --format '{lib}' | sort -u
}

# named PATTERN: keeps the lines that are one of the names; none is no failure.
named() { grep -E "^($1)$" || true; }

# manifests_naming PATTERN MANIFEST...: the manifests that depend on a crate of that name.
manifests_naming() {
  local pattern="$1"
  shift
  grep -lE "^ *\"?($pattern)\"?( *=|\.)|dependencies\.($pattern)\]" "$@" || true
}

sources_of() { find "$@" -name '*.rs' -print0; }

pure="$(sources_of crates/label-studio-sdk/src ! -path '*/client/*' ! -path '*/media/*' |
  xargs -0 grep -nE 'std::(env|fs|net|process|thread)\b|Instant::now|SystemTime' || true)"
holds 1 "the pure part of label-studio-sdk does no I/O" "$pure"

async='tokio|axum|hyper|hyper_util|tower'
holds 2 "label-studio-sdk is not async" "$(dependencies label-studio-sdk --all-features | named "$async")"
holds 2 "label-studio-ml without its server feature is not async" \
  "$(dependencies label-studio-ml --no-default-features | named "$async")"
for flags in "label-studio-sdk" "label-studio-sdk --features client" "label-studio-ml --no-default-features"; do
  # shellcheck disable=SC2086  # the flags are meant to be split
  problem="$(cargo check --quiet --package $flags 2>&1 | head -20)" && problem=""
  holds 2 "cargo check --package $flags" "$problem"
done

state="$(sources_of crates/label-studio-ml/src |
  xargs -0 grep -nE '^\s*(pub(\([a-z]+\))? )?static .*(Mutex|RwLock|OnceLock|Cell|Map)|static mut|thread_local!' || true)"
holds 3 "the server keeps no state in statics" "$state"

unwatched="$(for name in std::env::var std::env::var_os; do
  grep -q "\"$name\"" clippy.toml || echo "clippy.toml does not disallow $name"
done)"
holds 4 "clippy refuses to read the environment outside of an Args struct" "$unwatched"

mapfile -t crates < <(find crates -mindepth 2 -maxdepth 2 -name Cargo.toml)
mapfile -t examples < <(find examples -mindepth 2 -maxdepth 2 -name Cargo.toml)
example_names="$(sed -nE 's/^name = "(.*)"/\1/p' "${examples[@]}" | paste -sd '|')"
holds 5 "only label-studio-ml-python knows PyO3" \
  "$(manifests_naming 'pyo3' "${crates[@]}" "${examples[@]}" | grep -v '^crates/label-studio-ml-python/' || true)"
holds 5 "no crate imports an example" "$(manifests_naming "$example_names" "${crates[@]}")"
holds 5 "label-studio-sdk talks to nobody without its client feature" \
  "$(dependencies label-studio-sdk --no-default-features | named 'ureq|rustls|reqwest|socket2|url')"

for manifest in "${crates[@]}"; do
  package="$(sed -nE 's/^name = "(.*)"/\1/p' "$manifest" | head -1)"
  holds 7 "$package needs no GPU library and no system TLS" \
    "$(dependencies "$package" | named 'cudarc|candle_kernels|tch|openssl_sys|native_tls')"
done

if [ "$n_broken" -gt 0 ]; then
  echo "$n_broken invariants are broken"
  exit 1
fi

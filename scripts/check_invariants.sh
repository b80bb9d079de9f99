#!/usr/bin/env bash
# Checks the invariants of ARCHITECTURE.md that a program can check; prints one line for each.
# What needs more than a search is a Python script beside this one, with tests in scripts/tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

n_broken=0
log="$(mktemp)"
trap 'rm -f "$log"' EXIT

# holds NUMBER TEXT COMMAND...: an invariant holds when the command succeeds and finds nothing that breaks it.
holds() {
  local number="$1" text="$2" found
  shift 2
  found="$("$@" 2>"$log")" || found="${found:+$found$'\n'}the check itself failed: $*"$'\n'"$(head -20 "$log")"
  if [ -z "$found" ]; then
    echo "ok    invariant $number: $text"
  else
    echo "FAIL  invariant $number: $text"
    echo "        ${found//$'\n'/$'\n'        }"
    n_broken=$((n_broken + 1))
  fi
}

# lines GREP ARGUMENT...: like grep, except that finding nothing is no failure; a missing file is one.
lines() { grep "$@" || [ "$?" -eq 1 ]; }

# dependencies PATTERN PACKAGE OPTION...: the crates of these names that end up in the package.
dependencies() {
  local pattern="$1" package="$2" tree
  shift 2
  tree="$(cargo tree --package "$package" "$@" --edges normal --prefix none --format '{lib}')" || return
  sort -u <<<"$tree" | lines -E "^($pattern)$"
}

# manifests_naming PATTERN MANIFEST...: the manifests that depend on a package of that name.
manifests_naming() {
  local pattern="$1"
  shift
  # A feature may have the name of an example: `name = [...]`.
  lines -lE "^ *\"?($pattern)\"?( *= *[^[ ]|\.)|dependencies\.\"?($pattern)\"?\]|package *= *\"($pattern)\"" "$@"
}

without_lints() { lines -LPz '\[lints\]\nworkspace = true\n' "$@"; }

# Mutable statics, but for the counter in the ids of requests and the writer of the log, which every server of a process shares.
statics() {
  lines -rnE --include='*.rs' '^\s*(pub(\([a-z]+\))? )?static [^=]*(Mutex|RwLock|OnceLock|Cell|Map|Atomic)|static mut|thread_local!' "$@" |
    lines -vE 'server/(http/request_id.rs:[0-9]*: *static COUNT: AtomicU64|logging/writer.rs:[0-9]*: *static WRITER: OnceLock)'
}

# Findings end a script with a status that is no failure of the check itself; a failure without findings is one.
findings_of() {
  local found
  found="$(python3 "$@")" || [ -n "$found" ] || return
  echo -n "$found"
}

passes_tests() { python3 -m unittest discover --start-directory "$1" >&2; }

builds() { cargo check --quiet "$@"; }

disallowed() {
  local name
  for name in var var_os vars vars_os; do
    grep -q "\"std::env::$name\"" clippy.toml || echo "clippy.toml does not disallow std::env::$name"
  done
  grep -q '^disallowed_methods = ' Cargo.toml || echo "Cargo.toml does not lint disallowed_methods"
}

crates=(crates/*/Cargo.toml)
examples=(examples/*/Cargo.toml)
example_names="$(sed -nE 's/^name = "(.*)"/\1/p' "${examples[@]}" | paste -sd '|')"
async='tokio|axum|hyper|hyper_util|tower'

holds 1 "the pure part of label-studio-sdk does no I/O" lines -rnE --include='*.rs' --exclude-dir=client --exclude-dir=http --exclude-dir=media \
  '\b(env|fs|net|process|thread)::|Instant::now|SystemTime' crates/label-studio-sdk/src

holds 2 "label-studio-sdk is not async" dependencies "$async" label-studio-sdk --all-features
holds 2 "label-studio-ml without its server feature is not async" dependencies "$async" label-studio-ml --no-default-features
holds 2 "label-studio-sdk builds alone" builds --package label-studio-sdk
holds 2 "label-studio-sdk builds with its client alone" builds --package label-studio-sdk --features client
holds 2 "label-studio-ml builds without its server" builds --package label-studio-ml --no-default-features

holds 3 "the server keeps no state in statics" statics crates/label-studio-ml/src

holds 4 "clippy refuses to read the environment outside of an Args struct" disallowed
holds 4 "every package takes the workspace's lints" without_lints "${crates[@]}" "${examples[@]}"

others=()
for manifest in "${crates[@]}" "${examples[@]}"; do
  case "$manifest" in crates/label-studio-ml-python/*) ;; *) others+=("$manifest") ;; esac
done
holds 5 "only label-studio-ml-python knows PyO3" manifests_naming 'pyo3' "${others[@]}"
holds 5 "no crate imports an example" manifests_naming "$example_names" "${crates[@]}"
holds 5 "label-studio-sdk makes no connections without its client feature" \
  dependencies 'ureq|rustls|reqwest|socket2|url' label-studio-sdk --no-default-features

holds 5 "label-studio-ml runs no networks" dependencies 'ort|rten|gemm|tokenizers|ndarray|hf_hub' label-studio-ml
holds 5 "crates depend on lower layers only, and backends hold no code for media they do not label" \
  findings_of scripts/check_layers.py
holds 5 "a backend for images without a prompt holds no tokenizer" dependencies 'tokenizers' yolo

for manifest in "${crates[@]}"; do
  package="$(sed -nE 's/^name = "(.*)"/\1/p' "$manifest" | head -1)"
  holds 7 "$package needs no GPU library and no system TLS" \
    dependencies 'cudarc|candle_kernels|tch|openssl_sys|native_tls' "$package"
done

holds 5 "no two examples have a run of 15 equal lines" findings_of scripts/check_copies.py

holds 9 "no circle between the files of a crate or of the Python package" findings_of scripts/check_circles.py
holds 9 "the checks find what they are for" passes_tests scripts/tests

if [ "$n_broken" -gt 0 ]; then
  echo "$n_broken invariants are broken"
  exit 1
fi

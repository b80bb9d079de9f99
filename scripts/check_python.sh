#!/usr/bin/env bash
# Checks the format, the lint rules and the types of all Python in the repository. The types of the Python package and of its
# tests are checked by test_python.sh, where its dependencies are.
# usage: scripts/check_python.sh FOLDER-OF-RUFF-AND-MYPY
set -euo pipefail
bin="$(realpath "$1")"
cd "$(dirname "${BASH_SOURCE[0]}")/.."

"$bin/ruff" check --quiet
"$bin/ruff" format --quiet --check

cache="$(pwd)/.mypy_cache"
check() { "$bin/mypy" --config-file mypy.ini --cache-dir "$cache" --no-error-summary "$@"; }
packages="$(git ls-files --cached --others --exclude-standard '*/__init__.py' | cut -d / -f 1 | sort -u | grep -vE '^(crates|examples|scripts)$')"
check $(printf -- '-p %s ' $packages)
# Programs in other folders import their neighbours, so each folder is checked by itself.
git ls-files --cached --others --exclude-standard 'crates/*.py' 'examples/*.py' 'scripts/*.py' 'vectors/*.py' |
  grep -vE '^crates/label-studio-ml-python/|/python_template/|^scripts/.*/' | xargs -n 1 dirname | sort -u |
  while read -r folder; do
    MYPYPATH="$folder" check "$folder"/*.py
  done
MYPYPATH=scripts check scripts/tests/*.py

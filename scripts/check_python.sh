#!/usr/bin/env bash
# Checks the format, the lint rules and the types of all Python in the repository. The types of the Python package, of its tests
# and of the template of a backend are checked by test_python.sh, where their dependencies are.
# usage: scripts/check_python.sh FOLDER-OF-RUFF-AND-MYPY
set -euo pipefail
bin="$(realpath "$1")"
cd "$(dirname "${BASH_SOURCE[0]}")/.."

"$bin/ruff" check --quiet
"$bin/ruff" format --quiet --check

cache="$(pwd)/.mypy_cache"
check() { "$bin/mypy" --config-file mypy.ini --cache-dir "$cache" --no-error-summary "$@"; }
check -p demo -p e2e
# Programs in other folders import their neighbours and those of the folder above, so each folder is checked by itself. What they
# import from torch and others has no types, so neither have their networks.
git ls-files --cached --others --exclude-standard 'crates/*.py' 'examples/*.py' 'vectors/*.py' |
  grep -vE '^crates/label-studio-ml-python/|/python_template/' | xargs -n 1 dirname | sort -u |
  while read -r folder; do
    MYPYPATH="$folder:$(dirname "$folder"):examples/segment_anything_model/fixtures:crates/label-studio-audio/fixtures" check \
      --allow-subclassing-any --allow-untyped-calls --allow-untyped-decorators "$folder"/*.py
  done
MYPYPATH=scripts check scripts/*.py scripts/tests/*.py

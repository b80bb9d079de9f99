#!/usr/bin/env bash
# Builds the Python package with the dev profile and installs it into a separate virtual environment.
# usage: scripts/install_python_package.sh [CARGO OPTION]...
#   PYTHON=python3.12       the interpreter (3.9 or newer)
#   PYTHON_VENV=.venv-312   the virtual environment; created if it does not exist
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

package=crates/label-studio-ml-python
python="${PYTHON:-python3}"
venv="$(pwd)/${PYTHON_VENV:-.venv-python}"

scripts/install_packages.sh python3:python3
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  scripts/install_packages.sh :python3-venv
fi
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  "$python" -m venv --clear "$venv"
fi
pip=("$venv/bin/python" -m pip --quiet --disable-pip-version-check install)
"${pip[@]}" 'maturin>=1.7,<2'

wheels="$venv/wheels"
rm -rf "$wheels"
"$venv/bin/maturin" build --quiet --manifest-path "$package/Cargo.toml" --interpreter "$venv/bin/python" \
  --out "$wheels" "$@"
wheel="$(echo "$wheels"/*.whl)"
# Builds of before 0.1 had the name of the original, whose files would overwrite those of the wheel.
"$venv/bin/python" -m pip --quiet --disable-pip-version-check uninstall --yes label-studio-ml
"${pip[@]}" "$wheel[fast,gunicorn]"
"${pip[@]}" --force-reinstall --no-deps "$wheel" # its version stays the same from build to build

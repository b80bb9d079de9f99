#!/usr/bin/env bash
# Checks the types and stubs of the Python package, and the types of its tests and of the template of a
# backend, and runs the package's tests, in the virtual environment of install_python_package.sh.
#   PYTHON_VENV=.venv-312   that environment
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

package=crates/label-studio-ml-python
venv="$(pwd)/${PYTHON_VENV:-.venv-python}"
"$venv/bin/python" -m pip --quiet --disable-pip-version-check install -r "$package/tests/requirements.txt"

cache="$(mktemp -d)"
trap 'rm -rf "$cache"' EXIT
export MODEL_DIR="$cache" PYTHONDONTWRITEBYTECODE=1
config="$(pwd)/$package/pyproject.toml"
allowlist="$(pwd)/$package/tests/stubtest_allowlist.txt"
tests="$(pwd)/$package/tests"
template="$(pwd)/crates/label-studio-ml-cli/python_template"
(cd "$cache" && "$venv/bin/python" -m mypy --config-file "$config" -p label_studio_ml)
(cd "$cache" && "$venv/bin/python" -m mypy --config-file "$config" "$template"/*.py)
(cd "$cache" && "$venv/bin/python" -m mypy --config-file "$config" "$tests"/*.py)
(cd "$cache" && "$venv/bin/python" -m mypy.stubtest --mypy-config-file "$config" --allowlist "$allowlist" \
  --ignore-unused-allowlist label_studio_ml)
"$venv/bin/python" -m pytest --quiet -p no:cacheprovider "$tests"

#!/usr/bin/env bash
# Installs a pinned Label Studio into a virtual environment of its own, unless it is installed already.
# usage: scripts/install_label_studio.sh [VENV]     (default: .ls-venv in the repository root)
#   PYTHON=python3.12    the interpreter to use (3.10 or newer)
set -euo pipefail

version=1.23.2
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="${1:-$root/.ls-venv}"
python="${PYTHON:-python3}"

installed() {
  [ -x "$venv/bin/label-studio" ] && [ "$("$venv/bin/python" -c \
    'from importlib.metadata import version; print(version("label-studio"))' 2>/dev/null)" = "$version" ]
}

mkdir -p "$(dirname "$venv")"
exec 9<"$(dirname "$venv")"
if command -v flock >/dev/null; then flock 9; fi

if installed; then
  echo "label-studio $version is ready in $venv"
  exit 0
fi

"$root/scripts/install_packages.sh" python3:python3
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  "$root/scripts/install_packages.sh" :python3-venv
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
  echo "label-studio $version needs Python 3.10 or newer; set PYTHON to such an interpreter" >&2
  exit 1
fi

echo "installing label-studio $version into $venv (about two minutes, 1 GB)"
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  "$python" -m venv --clear "$venv"
fi
constraints=(--constraint "$root/e2e/label-studio-constraints.txt")
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  constraints=() # the pinned versions were resolved for 3.11 and newer
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "${constraints[@]}" "label-studio==$version"
installed || { echo "label-studio $version did not install into $venv" >&2; exit 1; }
echo "label-studio $version is ready in $venv"

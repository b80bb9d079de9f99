#!/usr/bin/env bash
# Installs a pinned Label Studio into a separate virtual environment, unless it is installed already.
# usage: scripts/install_label_studio.sh [VENV]     (default: .ls-venv in the repository root)
#   LABEL_STUDIO=1.13.1  another version than the newest tested one; default VENV: .ls-venv-1.13.1
#   PYTHON=python3.12    the interpreter to use (3.10 or newer; 3.11 for 1.13.1)
set -euo pipefail

newest=1.23.2
version="${LABEL_STUDIO:-$newest}"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="${1:-$root/.ls-venv${LABEL_STUDIO:+-$LABEL_STUDIO}}"
packages=("label-studio==$version")
if [ "$version" = "$newest" ]; then
  packages+=(selenium) # drives the browser of the end-to-end tests
else
  packages+=("setuptools<70") # versions up to 1.13 import its pkg_resources
fi
python="${PYTHON:-python3}"

installed() {
  [ -x "$venv/bin/label-studio" ] && "$venv/bin/python" - "$version" "${packages[@]:1}" 2>/dev/null <<'PYTHON'
import re, sys
from importlib.metadata import version
assert version("label-studio") == sys.argv[1]
for package in sys.argv[2:]:
    version(re.match(r"[\w-]+", package)[0])
PYTHON
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
constraints=(--constraint "$root/e2e/label-studio-$version-constraints.txt")
if [ ! -f "${constraints[1]}" ] || ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  constraints=() # the pinned versions were resolved for 3.11 and newer
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "${constraints[@]}" "${packages[@]}"
installed || { echo "label-studio $version did not install into $venv" >&2; exit 1; }
echo "label-studio $version is ready in $venv"

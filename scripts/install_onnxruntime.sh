#!/usr/bin/env bash
# Installs a pinned ONNX Runtime into a separate virtual environment, where backends find its library, unless it is
# installed already.
# usage: scripts/install_onnxruntime.sh [VENV]     (default: .ort in the repository root)
#   PYTHON=python3.12    the interpreter to use (3.10 or newer)
#   ONNXRUNTIME_GPU=1    the library for NVIDIA GPUs, for backends built with the feature cuda
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="${1:-$root/.ort}"
python="${PYTHON:-python3}"
package="onnxruntime${ONNXRUNTIME_GPU:+-gpu}"

# installed VERSION...: whether the package is installed in one of the versions, with its library.
installed() {
  [ -x "$venv/bin/python" ] && "$venv/bin/python" - "$package" "$@" 2>/dev/null <<'PYTHON'
import pathlib, sys, sysconfig
from importlib.metadata import version

package, *wanted = sys.argv[1:]
folder = pathlib.Path(sysconfig.get_path("purelib"), "onnxruntime", "capi")
sys.exit(version(package) not in wanted or not any(folder.glob("libonnxruntime.*")))
PYTHON
}

mkdir -p "$(dirname "$venv")"
exec 9<"$(dirname "$venv")"
if command -v flock >/dev/null; then flock 9; fi

current=1.32.0
last_for_python_3_10=1.23.2
if installed "$current" "$last_for_python_3_10"; then
  echo "$package is ready in $venv"
  exit 0
fi

"$root/scripts/install_packages.sh" python3:python3
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  "$root/scripts/install_packages.sh" :python3-venv
fi
version="$("$python" -c "import sys; v = sys.version_info
print('$current' if v >= (3, 11) else '$last_for_python_3_10' if v >= (3, 10) else '')")"
if [ -z "$version" ]; then
  echo "$package needs Python 3.10 or newer; set PYTHON to such an interpreter" >&2
  exit 1
fi

echo "installing $package $version into $venv"
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  "$python" -m venv --clear "$venv"
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$package==$version"
installed "$version" || { echo "$package $version did not install into $venv" >&2; exit 1; }
echo "$package $version is ready in $venv"

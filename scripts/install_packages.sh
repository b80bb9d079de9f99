#!/usr/bin/env bash
# Installs Debian packages for programs that are missing.
# usage: scripts/install_packages.sh PROGRAM:PACKAGE...     (an empty PROGRAM: always install)
# Without apt-get or the permission to use it, it prints the missing packages and fails.
set -euo pipefail

packages=()
for pair in "$@"; do
  program="${pair%%:*}"
  if [ -z "$program" ] || ! command -v "$program" >/dev/null; then packages+=("${pair#*:}"); fi
done
if [ "${#packages[@]}" -eq 0 ]; then exit 0; fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo -n); fi
if ! command -v apt-get >/dev/null || ! "${as_root[@]}" true 2>/dev/null; then
  echo "please install first: ${packages[*]}" >&2
  exit 1
fi
echo "installing ${packages[*]}"
"${as_root[@]}" apt-get update -qq </dev/null
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${packages[@]}" </dev/null >/dev/null

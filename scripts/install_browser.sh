#!/usr/bin/env bash
# Installs Chromium and its driver for the end-to-end tests, unless a browser and a driver are there already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# The names of e2e/browser/chromium.py.
for browser in google-chrome chromium chromium-browser; do
  if command -v "$browser" >/dev/null && command -v chromedriver >/dev/null; then
    echo "$browser is ready"
    exit 0
  fi
done
./install_packages.sh :chromium :chromium-driver

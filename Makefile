SHELL := bash
.SHELLFLAGS := -euo pipefail -c
export PATH := $(HOME)/.cargo/bin:$(PATH)

PORT ?= 9090
# Every example is a backend, and a package of the same name.
BACKENDS := $(patsubst examples/%/Cargo.toml,%,$(wildcard examples/*/Cargo.toml))
PROGRAMS := $(or $(CARGO_TARGET_DIR),target)/debug
# Another version than the newest tested one, such as 1.13.1.
LABEL_STUDIO ?=
VENV := .ls-venv$(addprefix -,$(LABEL_STUDIO))
PYTHON := $(VENV)/bin/python
LOCKED :=
# Checked and tested throughout with the opt-in engine, so that it is built once and nothing is built without it.
FEATURES := --features label-studio-inference/rten,grounding_dino/rten,label-studio-ml/object-store,label-studio-ml/postgres

.PHONY: help setup run test lint files helm catalogue rust invariants python fmt doc bench e2e run-e2e demo backends tools \
	programs label-studio browser screenshots onnxruntime postgresql python-package
# In the listed order: cargo and apt-get lock their own runs anyway.
.NOTPARALLEL:

help: ## List the targets
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

setup: tools onnxruntime postgresql ## Install missing tools: compiler, Rust, the ONNX Runtime that backends load, PostgreSQL for tests
	@echo "ready: 'make run' serves a backend, 'make test' runs all checks and tests"

run: tools ## Serve the simplest backend on PORT (9090)
	cargo build $(LOCKED) --release -p the_simplest_backend
	@echo
	@echo "When the log says that it listens, open Settings > Model > Connect Model in Label Studio and enter"
	@echo "    http://localhost:$(PORT)"
	@echo "Without a Label Studio: 'make demo' starts one with a backend already connected."
	@echo
	@mkdir -p .demo/simplest
	MODEL_DIR=.demo/simplest cargo run --quiet $(LOCKED) --release -p the_simplest_backend -- --port $(PORT)

# The tests of a package build its programs, so the end-to-end tests find them here without another build.
test: lint helm doc rust invariants python run-e2e ## Run everything that CI checks: lint, docs, tests, invariants, Python, end to end

lint: tools files ## Check the format, clippy with warnings denied, dependencies, and `make files`
	cargo fmt --all --check
	cargo clippy $(LOCKED) $(FEATURES) --features label-studio-ml-python/extension-module --workspace --all-targets -- -D warnings
	scripts/check_dependencies.sh

files: ## Check Python, spelling, workflows, issue forms, compose files, READMEs and the tables of backends
	scripts/check_files.sh

helm: ## Render the Helm chart, and compare it with the schemas of Kubernetes
	scripts/check_helm.sh

catalogue: ## Write the tables of backends from the examples' metadata
	python3 scripts/make_catalogue.py

rust: tools programs onnxruntime postgresql ## Run all Rust tests
	scripts/run_tests.sh $(LOCKED) $(FEATURES)

invariants: tools ## Check the invariants of ARCHITECTURE.md that are commands
	scripts/check_invariants.sh

python: python-package ## Build the Python package, check its types, run its tests
	scripts/test_python.sh

fmt: tools ## Format the Rust code
	cargo fmt --all

doc: tools ## Build the API documentation in target/doc, with warnings denied
	RUSTDOCFLAGS="-D warnings" cargo doc $(LOCKED) $(FEATURES) --workspace --no-deps --lib

bench: tools ## Run the benchmarks: label config, /predict round trip, masks
	cargo bench $(LOCKED) -p label-studio-sdk -p label-studio-ml -p label-studio-vision \
		--bench label_config --bench predict --bench masks

e2e: backends run-e2e ## Run the backends against a real Label Studio, of the version LABEL_STUDIO (1.23.2)

run-e2e: programs label-studio browser python-package onnxruntime
	$(PYTHON) -m unittest discover --start-directory e2e/tests --top-level-directory .
	$(PYTHON) -m e2e --venv $(VENV) --programs $(PROGRAMS)

screenshots: backends programs label-studio browser onnxruntime ## Write the images of Label Studio in the READMEs of interactive backends
	$(PYTHON) -m e2e --venv $(VENV) --programs $(PROGRAMS) --screenshots

demo: tools label-studio ## Start Label Studio with a text classifier and a sample project, until Ctrl-C
	cargo build $(LOCKED) -p sklearn_text_classifier
	@$(PYTHON) -m demo --programs $(PROGRAMS)

backends: tools
	cargo build $(LOCKED) $(addprefix -p ,$(BACKENDS))

python-package: tools
	scripts/install_python_package.sh $(LOCKED)

label-studio:
	@LABEL_STUDIO=$(LABEL_STUDIO) scripts/install_label_studio.sh $(VENV)

browser:
	@$(if $(LABEL_STUDIO),,scripts/install_browser.sh)

onnxruntime:
	@scripts/install_onnxruntime.sh

postgresql:
	@scripts/install_postgresql.sh

tools:
	@scripts/install_tools.sh

# Programs that backends run.
programs:
	@scripts/install_packages.sh tesseract:tesseract-ocr ffmpeg:ffmpeg

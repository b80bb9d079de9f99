SHELL := bash
.SHELLFLAGS := -euo pipefail -c
export PATH := $(HOME)/.cargo/bin:$(PATH)

PORT ?= 9090
# The backends that the end-to-end tests drive.
BACKENDS := the_simplest_backend interactive_substring_matching sklearn_text_classifier llm_interactive \
	watsonx_llm langchain_search_agent deepgram docling \
	segment_anything_model segment_anything_2_image yolo mmdetection-3 grounding_dino grounding_sam
PROGRAMS := $(or $(CARGO_TARGET_DIR),target)/debug
PYTHON := .ls-venv/bin/python
LOCKED :=
# Checked and tested throughout with the opt-in engine, so that it is built once and nothing is built without it.
FEATURES := --features label-studio-inference/rten,grounding_dino/rten

.PHONY: help setup run test lint rust invariants python fmt doc bench e2e run-e2e demo backends tools label-studio \
	onnxruntime python-package
# In the order in which they are listed: cargo and apt-get lock each other out anyway.
.NOTPARALLEL:

help: ## Lists what can be made
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

setup: tools onnxruntime ## Installs what is missing: compiler, Rust, and the ONNX Runtime that backends load
	@echo "ready: 'make run' serves a backend, 'make test' runs what must pass"

run: tools ## Serves the simplest backend on PORT (9090)
	cargo build $(LOCKED) --release -p the_simplest_backend
	@echo
	@echo "Once it says that it listens: in Label Studio open Settings > Model > Connect Model and enter"
	@echo "    http://localhost:$(PORT)"
	@echo "No Label Studio at hand? 'make demo' starts one with a backend already connected."
	@echo
	@mkdir -p .demo/simplest
	MODEL_DIR=.demo/simplest cargo run --quiet $(LOCKED) --release -p the_simplest_backend -- --port $(PORT)

# The tests of a package build its programs, so the end-to-end tests find them here without another build.
test: lint doc rust invariants python run-e2e ## Everything that CI checks: lint, docs, tests, invariants, Python, end to end

lint: tools ## Format, clippy with warnings denied, licences and sources of the dependencies
	cargo fmt --all --check
	cargo clippy $(LOCKED) $(FEATURES) --features label-studio-ml-python/extension-module --workspace --all-targets -- -D warnings
	scripts/check_dependencies.sh

rust: tools onnxruntime ## All Rust tests
	scripts/run_tests.sh $(LOCKED) $(FEATURES)

invariants: tools ## Those of ARCHITECTURE.md that are commands
	scripts/check_invariants.sh

python: python-package ## The Python package: wheel, types, tests
	scripts/test_python.sh

fmt: tools ## Formats the Rust code
	cargo fmt --all

doc: tools ## API documentation in target/doc, with warnings denied
	RUSTDOCFLAGS="-D warnings" cargo doc $(LOCKED) $(FEATURES) --workspace --no-deps --lib

bench: tools ## Benchmarks: reading a label config, and a /predict round trip
	cargo bench $(LOCKED) -p label-studio-sdk -p label-studio-ml -p label-studio-inference \
		--bench label_config --bench predict --bench masks

e2e: backends run-e2e ## A real Label Studio against the backends

run-e2e: label-studio python-package onnxruntime
	$(PYTHON) -m unittest discover --start-directory e2e/tests --top-level-directory .
	$(PYTHON) -m e2e --programs $(PROGRAMS)

demo: tools label-studio ## Label Studio with a text classifier and a sample project, until Ctrl-C
	cargo build $(LOCKED) -p sklearn_text_classifier
	@$(PYTHON) -m demo --programs $(PROGRAMS)

backends: tools
	cargo build $(LOCKED) $(addprefix -p ,$(BACKENDS))

python-package: tools
	scripts/install_python_package.sh $(LOCKED)

label-studio:
	@scripts/install_label_studio.sh

onnxruntime:
	@scripts/install_onnxruntime.sh

tools:
	@scripts/install_tools.sh

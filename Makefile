# The only entry to build, check and run. `make` alone lists the commands.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install build build-release run demo wheel lock lock-clients test test-all models test-slow test-brokers test-clients \
	simulate fuzz fmt lint types check ci peer instructions bench golden-ours docs clean

PYTHON ?= python3
PORT ?= 9851
DATA ?= data
PEER ?=
# Golden cases and scenarios wait more than they compute, so two workers suit two cores.
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
TOUCHED := tile38py tests benchmarks
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
unexport PYTHONHOME

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

# One clear sentence each, before anything else is tried.
.PHONY: needs-python needs-cargo
needs-python:
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "tile38py needs Python 3.11 or newer with its venv module, and '$(PYTHON)' isn't that:" \
	       "install it, or name another with make PYTHON=python3.12." >&2; exit 1; }
needs-cargo:
	@command -v cargo >/dev/null \
	  || { echo "tile38py needs a Rust toolchain (1.85 or newer), and there is no 'cargo' on PATH:" \
	       "install it from your distribution or with rustup." >&2; exit 1; }

install: $(VENV)/developing ## make the virtual environment with all tools

# An installation is as its lock says, which `make lock` renews.
install-locked = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1)

$(BIN)/python: | needs-python
	@$(PYTHON) -m venv $(VENV)

$(VENV)/running: requirements/run.txt | $(BIN)/python
	@echo 'Installing what the server needs into $(VENV)'
	@$(call install-locked,$<)
	@touch $@

$(VENV)/developing: requirements/dev.txt | $(BIN)/python
	@echo 'Installing the tools for development into $(VENV)'
	@$(call install-locked,$<)
	@touch $@ $(VENV)/running

# The package's metadata (version, commands) is installed anew only when it may have changed.
# The compiler is heard when it fails.
define compile
	@if [ $(VENV)/package -nt pyproject.toml ] && [ $(VENV)/package -nt Cargo.toml ]; then \
	   skip=--skip-install; else skip=; echo 'Compiling the engine: a minute or two the first time'; fi; \
	 $(BIN)/maturin develop --quiet $$skip $(1) >$(VENV)/compiler.log 2>&1 \
	   || { cat $(VENV)/compiler.log >&2; exit 1; }; \
	 touch $(VENV)/package
endef

build: install | needs-cargo ## build the engine for tests, into the package
	$(call compile,)

build-release: $(VENV)/running | needs-cargo ## build the engine for speed
	$(call compile,--release --locked)

run: build-release ## build and start the server on port 9851 with its data in ./data
	@exec $(BIN)/python -m tile38py -p $(PORT) -d $(DATA)

demo: build-release ## start a server, load the world's places and countries, show what it can do
	@$(BIN)/python -m tile38py.demo

wheel: $(VENV)/running | needs-cargo ## build the distributable wheel into dist and try it in an empty environment
	@rm -f dist/*.whl
	$(BIN)/maturin build --quiet --release --locked --out dist
	$(BIN)/python -m tests.wheel dist/*.whl

UPGRADE ?= --upgrade
lock: needs-python needs-cargo ## renew the locks; UPGRADE= only adds what pyproject.toml has new
	@$(PYTHON) -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.8,<1'
	$(call resolve,dev,--all-extras --group build --group bench --group tools)
	$(call resolve,run,--extra demo --group build --constraints requirements/dev.txt)
	$(call resolve,image,--extra hooks --constraints requirements/dev.txt)
	$(if $(UPGRADE),cargo update --quiet && cargo update --quiet --manifest-path fuzz/Cargo.toml)

# No host of a registry is written down: whoever installs has one configured.
resolve = $(VENV)/lock/bin/uv pip compile --quiet pyproject.toml $(2) --output-file requirements/$(1).txt \
  --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-strip-extras \
  --custom-compile-command 'make lock' $(UPGRADE)

CLIENTS := tests/clients
lock-clients: needs-python needs-cargo ## renew the locks of tests/clients for the versions that stand there
	@$(PYTHON) -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.8,<1'
	for lock in $(CLIENTS)/python/*.in; do $(VENV)/lock/bin/uv pip compile --quiet $$lock \
	  --output-file $${lock%.in}.txt --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-strip-extras --custom-compile-command 'make lock-clients'; done
	npm install --prefix $(CLIENTS)/node --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved
	cd $(CLIENTS)/go && go mod tidy && go mod tidy -modfile=before.mod
	cargo update --quiet --manifest-path $(CLIENTS)/rust/Cargo.toml

test: build ## build and pass the tests
	cargo test --quiet --workspace --exclude tile38py-python
	HYPOTHESIS_PROFILE=fast $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal \
	  -m 'not slow and not broker and not peer and not image and not clients'

test-all: build ## all tests: slow ones, brokers, asyncio's debug mode
	cargo test --quiet --workspace --exclude tile38py-python
	HYPOTHESIS_PROFILE=slow PYTHONASYNCIODEBUG=1 $(BIN)/python -m pytest -q -n $(WORKERS) \
	  --dist worksteal --timeout 600 -m 'not peer and not image and not clients'

SEED ?=
SEEDS ?=
simulate: build ## servers on a simulated disk, network and clock: SEED=n SEEDS=count
	$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS))

# libFuzzer's instrumentation, which the stable compiler has too.
FUZZ_FLAGS := -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1
FUZZ_SECONDS ?= 60
# With a target named, build scripts aren't instrumented.
FUZZ_TARGET = $$(rustc -vV | sed -n 's/^host: //p')
FUZZ = cd fuzz && RUSTFLAGS="$(FUZZ_FLAGS)" cargo run --quiet --release --target $(FUZZ_TARGET) --bin
FUZZ_OPTIONS = -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1

fuzz: needs-cargo ## random bytes for the parsers of requests and GeoJSON, FUZZ_SECONDS each
	mkdir -p fuzz/corpus/requests fuzz/corpus/geojson
	$(FUZZ) requests -- corpus/requests ../tests/golden/cases/search ../tests/golden/cases/keyspace \
	  $(FUZZ_OPTIONS) -dict=requests.dict -max_len=4096
	$(FUZZ) geojson -- corpus/geojson seeds/geojson $(FUZZ_OPTIONS) -dict=geojson.dict -max_len=4096

MODEL_FACTOR ?= 100
MODEL_SEED ?= 0
models: build ## many random commands, expressions and searches against models of the specification
	MODEL_FACTOR=$(MODEL_FACTOR) MODEL_SEED=$(MODEL_SEED) $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal --timeout 900 \
	  tests/property/test_keyspace.py tests/property/test_expressions.py tests/property/test_order.py

test-slow: build ## many kills and fail-overs, which take minutes
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal --timeout 600 -m 'slow and not broker and not peer and not image and not clients'

test-brokers: build ## test hook endpoints against real brokers (.ci/brokers installs them)
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --timeout 180 -m broker

test-clients: build ## client libraries of many languages, unmodified (.ci/clients installs their tools)
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -m clients

fmt: install ## format, and mend what can be mended
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .
	cargo fmt --all

lint: build ## style: ruff, rustfmt, clippy, tidy
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	cargo fmt --all --check
	cargo clippy --quiet --workspace --all-targets -- -D warnings
	$(BIN)/python -m pytest -q tests/test_tidy.py

types: build ## types: mypy, and the engine's stub against the built module
	$(BIN)/mypy $(TOUCHED)
	$(BIN)/python -m mypy.stubtest --concise tile38py._engine

check: lint types test ## lint, types and tests: before handing over

ci: check

peer: install ## run the golden cases against a Tile38 at PEER=host:port (it is emptied)
	@[ -n "$(PEER)" ] || { echo "name a Tile38 that holds no data: make peer PEER=127.0.0.1:9851" >&2; exit 1; }
	$(BIN)/python -m tests.golden check --server $(PEER)

golden-ours: build ## record our replies to the cases that we don't match on purpose
	$(BIN)/python -m tests.golden record-ours

docs: build ## write docs/commands anew where the code decides: facts, usages, replies to examples
	$(BIN)/python -m tests.manual

instructions: install needs-cargo ## count the instructions of hot paths, which may not grow (needs valgrind)
	$(BIN)/python -m benchmarks.instructions

bench: install build-release ## measure side by side with redis-server and PEER=host:port
	$(BIN)/python -m benchmarks.compare $(if $(PEER),--peer tile38=$(PEER))

clean: ## remove what was built, not the data
	rm -rf $(VENV) target dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf tile38py/bin
	find . -name '*.so' -path './tile38py/*' -delete

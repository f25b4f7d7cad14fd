# The front door. `make serve` and `make test` do all the set-up themselves, and are quick when
# nothing changed. `make help` lists the rest.

PYTHON ?= python3
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
PORT ?= 6379
ARGS ?=
FUZZ_SECONDS ?= 20
PYTEST_ARGS ?= -n 2 --dist loadfile --slow

VENV := .venv
PY := $(VENV)/bin/python
STAMPS := build/stamps
PHASES := tidy unit tsan fuzz py
SOURCES := $(shell find csrc python cmake -name __pycache__ -prune -o -print)
CMAKE_CONFIGURE = cmake --preset
CMAKE_BUILD = cmake --build -j $(JOBS) --preset

.PHONY: help serve install test $(PHASES:%=test-%) test-monitor fuzz bench format docs clean
.DELETE_ON_ERROR:

help:
	@echo "make serve    set up, build, start the server on port $(PORT) (PORT=, ARGS=\"--flag value\")"
	@echo "make test     set up, build, run every test; in parts: $(PHASES:%=test-%)"
	@echo "make test-monitor  tests/monitor, with Chromium and Prometheus, which it installs"
	@echo "make bench    build the benchmarks, compare with redis-server (ARGS=--quick; bench/README.md)"
	@echo "make fuzz     fuzz with libFuzzer (needs clang-14), FUZZ_SECONDS=$(FUZZ_SECONDS) each"
	@echo "make format   clang-format and ruff over the whole tree"
	@echo "make docs     docs/commands.md, docs/configuration.md, packaging/redis.conf and shell completions, from the tables"
	@echo "make clean    remove build/ and $(VENV)/"

serve: install
	exec $(PY) -m rustypotato --port $(PORT) $(ARGS)

install: $(STAMPS)/install

test:
	@for phase in $(PHASES); do .ci/phase test-$$phase $(MAKE) --no-print-directory test-$$phase || exit 1; done
	@echo "make test: everything passed"

test-tidy: $(STAMPS)/venv-test $(STAMPS)/install
	$(PY) -m pytest tests/tidy

test-unit: $(STAMPS)/packages-test
	$(CMAKE_CONFIGURE) dev
	$(CMAKE_BUILD) dev
	ctest --preset dev

test-tsan: $(STAMPS)/packages-test
	$(CMAKE_CONFIGURE) tsan
	$(CMAKE_BUILD) tsan
	ctest --preset tsan

test-fuzz: $(STAMPS)/packages-test
	$(CMAKE_CONFIGURE) dev -DRP_FUZZ_SECONDS=$(FUZZ_SECONDS)
	$(CMAKE_BUILD) dev
	ctest --preset fuzz-bounded

test-py: $(STAMPS)/venv-test $(STAMPS)/install
	$(PY) -m pytest tests --ignore=tests/tidy $(PYTEST_ARGS)

# With a browser and Prometheus, which `make test` does without.
test-monitor: $(STAMPS)/packages-monitor $(STAMPS)/venv-test $(STAMPS)/install
	$(PY) -m pytest tests/monitor

fuzz: $(STAMPS)/packages-test
	$(CMAKE_CONFIGURE) fuzz -DRP_FUZZ_SECONDS=$(FUZZ_SECONDS)
	$(CMAKE_BUILD) fuzz
	ctest --preset fuzz

bench: $(STAMPS)/packages-bench $(STAMPS)/install
	$(CMAKE_CONFIGURE) bench
	$(CMAKE_BUILD) bench
	$(PY) bench/wire/run.py $(ARGS)
	@echo "The table and the epochs alone: build/bench/rp_micro. bench/README.md explains both."

format: $(STAMPS)/venv-test
	find csrc tests bench -name '*.cc' -o -name '*.h' | xargs $$(.ci/setup clang-format) -i
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

docs: $(STAMPS)/venv-test $(STAMPS)/install
	for page in commands configuration; do $(PY) tests/tidy/generated_docs.py $$page > docs/$$page.md; done
	$(PY) tests/tidy/generated_docs.py redis.conf > packaging/redis.conf
	$(PY) tests/tidy/generated_completions.py

clean:
	rm -rf build $(VENV)

# Set-up. A stamp is newer than what it was made from, so that nothing is asked twice.

$(STAMPS)/packages-%: .ci/setup
	@mkdir -p $(STAMPS)
	.ci/setup packages $*
	@touch $@

$(STAMPS)/venv: .ci/setup pyproject.toml | $(STAMPS)/packages-build
	PYTHON=$(PYTHON) .ci/setup venv
	@touch $@

$(STAMPS)/venv-test: $(STAMPS)/venv | $(STAMPS)/packages-test
	.ci/setup venv-test
	@touch $@

$(STAMPS)/install: $(STAMPS)/venv CMakeLists.txt pyproject.toml $(SOURCES)
	CMAKE_BUILD_PARALLEL_LEVEL=$(JOBS) .ci/setup install
	@touch $@

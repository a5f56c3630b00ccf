# make run     set-up, then the dashboard in the browser
# make test    set-up with the test requirements, lint, all tests
# make quick   under a minute of tests, for while you work
# make lint    ruff and mypy
# make bench   the same work by plain loops, by libraries and by the engine; bench-growth: how cost grows
# make load    fifty visitors at a hosted page for ten minutes, then four thousand more (ARGS="--minutes 2 --visits 500")
# make builtin train the built-in model anew and measure it (about two hours on two cores)
# make release-check   builds what is released, and tries it in an environment of its own (PYTHON=python3.12 for another)
# make clean   remove what the others made, the virtual environment included

PYTHON  ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
                     $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
WORKERS ?= 3
PORT    ?= 8501
VENV    := .venv
BIN     := $(VENV)/bin
PIP     := $(BIN)/python -m pip --disable-pip-version-check

# Spinning threads make two busy processes many times slower than one.
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: run setup test quick setup-test lint format bench bench-growth load builtin release-check clean

run: setup
	$(BIN)/crux page --port $(PORT)

# In the order of the folders, so that the browser's tests, which wait more than they compute, run beside others.
test: setup-test lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadscope --no-loadscope-reorder $(TESTS)

# While working: no browser, no SmolLM2, nothing marked slow.
quick: $(VENV)/tested
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(WORKERS) -m "not slow and not browser and not real" $(TESTS)

lint: $(VENV)/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/tested
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/tested
	$(BIN)/python -m tests.benchmarks
	$(BIN)/python -m tests.benchmarks --find
	$(BIN)/python -m tests.benchmarks --table

bench-growth: $(VENV)/tested
	$(BIN)/python -m tests.benchmarks --growth
	$(BIN)/python -m tests.benchmarks --table

load: $(VENV)/tested
	$(BIN)/python -m tests.load --out tests/load/figures.json $(ARGS)
	$(BIN)/python -m scripts.hosting

# Large arrays come and go at every step. glibc hands their pages back each time (a tenth of the time) or, told not
# to, looks for a fitting one in long lists (a quarter); jemalloc, where it is installed, does neither.
builtin: export LD_PRELOAD = $(firstword $(wildcard /usr/lib/*/libjemalloc.so.2 /usr/lib/libjemalloc.so.2))
builtin: export MALLOC_CONF = dirty_decay_ms:60000,muzzy_decay_ms:60000
builtin: export MALLOC_MMAP_THRESHOLD_ = 1073741824
builtin: export MALLOC_TRIM_THRESHOLD_ = 8589934592
builtin: export MALLOC_TOP_PAD_ = 268435456
builtin: $(VENV)/ready
	$(BIN)/python -m probes.training
	OMP_NUM_THREADS=2 $(BIN)/python -m probes.training.measure --by-hand tests/generator --out probes/models/builtin/figures.json
	$(BIN)/python -m probes.training.card
	$(BIN)/python -m scripts.ready

release-check: $(VENV)/tested
	$(BIN)/python -m scripts.release_check --python $(PYTHON)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

setup: $(VENV)/ready

# Chromium and SmolLM2 are each looked for whenever tests are run: what was not to be had yesterday may be today.
setup-test: $(VENV)/tested
	@sh scripts/chromium.sh
	@$(BIN)/python scripts/smollm2.py

# Installed again only when the list of what to install has changed.
$(VENV)/ready: requirements.txt pyproject.toml | $(BIN)/python
	$(PIP) install --prefer-binary -r requirements.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/tested: requirements-test.txt $(VENV)/ready
	$(PIP) install --quiet --prefer-binary -r requirements-test.txt
	@touch $@

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Crux needs Python 3.11, 3.12 or 3.13, and none was found. Install one, or name it: make run PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "Crux needs Python 3.11, 3.12 or 3.13; $(PYTHON) is `$(PYTHON) --version`." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

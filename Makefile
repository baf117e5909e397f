# Every target sets itself up in .venv: a fresh clone needs no other step.
PYTHON ?= python3
BIN := .venv/bin
SET_UP = @tools/set_up.sh

.PHONY: install install-dev run demo bench test lint soak coverage lock clean

install:
	$(SET_UP) run "$(PYTHON)" "$(origin PYTHON)"

install-dev:
	$(SET_UP) dev "$(PYTHON)" "$(origin PYTHON)"

run: install
	$(BIN)/openrollup run $(ARGS)

demo: install
	$(BIN)/openrollup demo $(ARGS)

bench: install
	$(BIN)/python -m benchmarks $(ARGS)

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Bytecode is written, whatever the environment says: the suite starts processes that import the same modules.
test soak: export PYTHONDONTWRITEBYTECODE =

# Three at once on two cores: tests that wait for a node or a browser leave the processor to others.
test: install-dev
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not slow" tests

soak: install-dev
	SOAK=2000 $(BIN)/python -m pytest -m slow tests

# The attribution precompile by branch, without the random sequences: what they reach, other tests reach by name.
coverage: install-dev
	$(BIN)/python -m pytest tests/attribution -m "not slow" --deselect tests/attribution/test_differential.py \
		--cov=attribution_precompile --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=98

# Both lock files, for every supported Python and platform. Needs uv. `make lock UPGRADE=--upgrade` takes new releases.
COMPILE = uv pip compile pyproject.toml --universal --python-version 3.11 --prerelease=if-necessary-or-explicit \
	--generate-hashes --no-annotate --no-header --quiet
lock:
	$(COMPILE) --extra dev --extra build $(UPGRADE) -o requirements-dev.lock
	$(COMPILE) --extra build -c requirements-dev.lock --upgrade -o requirements.lock

clean:
	rm -rf .venv build *.egg-info

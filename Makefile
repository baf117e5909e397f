# Every target sets itself up in .venv: a fresh clone needs no other step.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install run demo test lint soak coverage clean

install: .venv/.installed

.venv/.installed: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

run: install
	$(BIN)/openrollup run $(ARGS)

demo: install
	$(BIN)/openrollup demo $(ARGS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: install
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" tests

soak: install
	$(BIN)/python -m pytest -m slow tests

# The attribution precompile by branch, without the random sequences: what they reach, other tests reach by name.
coverage: install
	$(BIN)/python -m pytest tests/attribution -m "not slow" --deselect tests/attribution/test_differential.py \
		--cov=attribution_precompile --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=98

clean:
	rm -rf .venv build *.egg-info

# make demo: the whole job on loopback, no key.   make test: every check.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# Per cent of lines and branches; 95 where a browser, npm and recorded replies are, as measured.
COVERED := 92

.PHONY: demo test test-windows test-kubernetes check example bench dist pins picture format clean

demo: $(VENV)/.installed
	$(BIN)/rollcall demo

example: $(VENV)/.installed
	$(BIN)/python examples/minimal_app/llm_bindings.py --demo

test: $(VENV)/.installed-test .npm/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --platform linux --cache-dir .mypy_cache/linux
	$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32
	$(BIN)/lint-imports
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -n auto --cov --cov-report=term $(or $(PYTEST_ARGS),--cov-fail-under=$(COVERED))

test-windows:                    # on Windows' Python under Wine: Linux on x86-64, as root
	tests/windows/run.sh

test-kubernetes: $(VENV)/.installed-test   # on a real API server: Debian 12, as root; built once
	@bin=$$(tests/kubernetes/build.sh) || exit $$(( $$? == 77 ? 0 : $$? )); \
	ROLLCALL_KUBERNETES_BIN=$$bin $(BIN)/python -m pytest tests/kubernetes $(PYTEST_ARGS)

check: $(VENV)/.installed-test   # seconds: for while one works
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

dist: $(VENV)/.installed-test    # wheel and source archive, in dist/
	$(BIN)/python -m build --no-isolation

PIN = printf 'hatchling\npip\n' | $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
  --generate-hashes --custom-compile-command 'make pins' pyproject.toml -
pins: $(VENV)/bin/python         # what rollcall and its build need, by version and hash
	$(BIN)/python -m pip install --quiet uv
	$(PIN) --output-file .github/actions/regenerate-config/requirements.txt
	$(PIN) --extra serve --extra fleet --output-file examples/docker/requirements.txt

bench: $(VENV)/.installed-test
	$(BIN)/python -m benchmarks

picture: $(VENV)/.installed-test # docs/terminal.svg, as the demo looks at a terminal
	$(BIN)/python -m tests.tools.terminal_picture

format: $(VENV)/.installed-test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[serve]'
	touch $@

$(VENV)/.installed-test: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@ $(VENV)/.installed

# Two object stores of npm; without it their tests are skipped, saying so.
.npm/.installed:
	mkdir -p .npm
	-npm install --prefix .npm --silent --no-audit --no-fund azurite@3 s3rver@3
	touch $@

clean:
	rm -rf $(VENV) .venv-windows .npm .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis htmlcov dist build

# Everything here works on a machine with Python >= 3.11 (with venv), make and a package index; `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
MODELS := cognitive_memory/data/models/all-MiniLM-L6-v2.onnx
REHEARSAL := .cache/release
# One more than the cores of a small machine: a third of the time, tests wait.
JOBS ?= 3
# For example: make test PYTEST_ARGS="tests/release -k proxy --no-cov"
PYTEST_ARGS ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Our own commands fetch nothing by being imported here.
export HEIMDALL_FETCH := use

.DEFAULT_GOAL := help
.PHONY: help demo test unit windows lint format bench picture release-assets models wheelhouse node-tools programs docs release-check clean

help: ## List these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | awk -F '\t' '{ printf "  make %-16s %s\n", $$1, $$2 }'

demo: $(INSTALLED) ## Build, release, install twice, download once, embed: the main job on the real model
	@$(BIN)/python -m tests.support.demo

test: $(INSTALLED) programs release-assets wheelhouse node-tools lint ## Set-up, lint, types, import contracts, the whole test suite with coverage
	@$(BIN)/python -m pytest -n $(JOBS) --cov --cov-report=term:skip-covered $(PYTEST_ARGS)

unit: $(INSTALLED) ## The quick part of the suite: no model, wheels, processes, servers or node
	@$(BIN)/python -m pytest -n $(JOBS) -q -m "not model and not kills and not installs and not slow" $(PYTEST_ARGS)

windows: ## The suite with the Python of a folder WINDOWS that has Windows' one: make windows WINDOWS=/tmp/windows
	@test -x "$(WINDOWS)/python" || { echo "WINDOWS=FOLDER names a folder with a program 'python' that runs Python for Windows" >&2; exit 2; }
	@rm -rf "$(WINDOWS)/checkout" && mkdir -p "$(WINDOWS)/checkout/cognitive_memory/data"
	@git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- --create | tar --extract --directory "$(WINDOWS)/checkout"
	@test ! -d cognitive_memory/data/models || cp -RL cognitive_memory/data/models "$(WINDOWS)/checkout/cognitive_memory/data"
	@cd "$(WINDOWS)/checkout" && "$(WINDOWS)/python" -m pip install --quiet --no-index --no-build-isolation --no-deps --no-warn-script-location --editable . < /dev/null
	@cd "$(WINDOWS)/checkout" && "$(WINDOWS)/python" -m pytest -p no:cacheprovider -n $(JOBS) -q -m "not model and not kills and not installs" $(PYTEST_ARGS) < /dev/null

format: $(INSTALLED) ## Lay the code out, sort imports
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

lint: $(INSTALLED) ## ruff, mypy --strict, import contracts, workflows
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@test ! -d .github || $(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@test ! -d .github || $(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	@test ! -d .github || $(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/wish.yml
	@test ! -d .github || $(BIN)/zizmor --offline --no-progress --quiet .github

bench: $(INSTALLED) models ## Compare with peers and print ratios
	@$(BIN)/python -m tests.benchmarks

picture: $(INSTALLED) models ## Draw the README's terminal picture again, from a real run
	@$(BIN)/python -m tests.support.picture

docs: $(INSTALLED) ## Build the site of docs/ into .cache/site; warnings are errors
	@$(BIN)/python -m pip install --quiet --group docs
	@$(BIN)/python -m tests.support.command_reference .cache/docs/commands.md
	@$(BIN)/zensical build --strict

release-assets: models ## Make the model from upstream's files, pack the release asset, compare it with the lock
	@$(BIN)/python -m release pack
	@$(BIN)/python -m release lock --check

# Everything that the release workflow does, with the stand-in for GitHub in its place; the changelog's date comes last.
release-check: $(INSTALLED) programs release-assets wheelhouse ## Rehearse the release: lock, wheel, sdist, metadata, attestations, version, changelog
	@rm -rf $(REHEARSAL)
	@$(BIN)/python -m build --outdir $(REHEARSAL)
	@$(BIN)/twine check --strict $(REHEARSAL)/*
	@$(BIN)/python -m pytest -n $(JOBS) -q tests/test_readme.py tests/release/test_release_end_to_end.py tests/release/test_publish.py tests/release/test_verify.py tests/release/test_workflows.py
	@$(BIN)/python -m tests.support.changelog

models: $(INSTALLED)
	@$(BIN)/python -m release build

wheelhouse: $(INSTALLED)
	@$(BIN)/python -m tests.support.wheelhouse

# What has no wheel, as root from Debian; `make test` says what was skipped for want of it.
programs: $(INSTALLED)
	@$(BIN)/python -m tests.support.programs

node-tools: $(INSTALLED)
	@$(BIN)/python -m tests.support.node_tools
	@$(BIN)/python -m tests.support.node_tools node_assistants

$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else f"heimdall-mcp needs Python 3.11 or newer, {sys.executable} is {sys.version.split()[0]}; say make PYTHON=/path/to/python")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip install --quiet --editable '.[watch]' --group dev
	@touch $@

clean: ## Remove everything that was made, also the virtual environment and the downloads
	rm -rf $(VENV) .cache .demo dist cognitive_memory/data/models
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Every target sets itself up: the system is checked, .venv is built once, and again when
# pyproject.toml or constraints.txt change. PYTHON=… chooses the interpreter, UV=1 installs by uv.

SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
UV ?= 0
# Test processes at a time, a file each; the longest files come first.
TEST_PROCESSES ?= 2
SIDE_BY_SIDE := -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder
BIN := .venv/bin
# The stamp is named after what the environment was built from, so that a fresh checkout with the
# same contents needs no rebuild, and so no network.
CONTENTS := $(shell (cat pyproject.toml constraints.txt; echo "$(CURDIR)") | cksum | cut -d' ' -f1)
STAMP := .venv/.ready-$(CONTENTS)
# Only the environment's own packages count, whatever the caller's shell exports.
unexport PYTHONPATH PYTHONHOME

.PHONY: help demo test test-all quick proof lint bench clean
.DEFAULT_GOAL := help

help:
	@echo "make demo   curate a small corpus in ten languages into demo_out"
	@echo "make test   run the tests (12 min), but for linters and what is marked long"
	@echo "make test-all  run all of them (45 min at most)"
	@echo "make quick  run those that answer within two minutes"
	@echo "make proof  train the tiny generator on two real clips and check what it learned (15 min)"
	@echo "make lint   ruff, mypy and the layers"
	@echo "make bench  run the speed measurements"
	@echo "make clean  remove .venv and caches"

$(STAMP):
	@scripts/check_system.sh "$(PYTHON)"
	@echo "Building .venv with $(PYTHON); this takes a few minutes, once."
	@rm -rf .venv
	@"$(PYTHON)" -m venv .venv
ifeq ($(UV),1)
	@uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[models,identity,language,dev]'
else
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[models,identity,language,dev]'
endif
	@touch $(STAMP)

demo: $(STAMP)
	@scripts/check_system.sh "$(BIN)/python"
	@$(BIN)/tfw weights fetch --open >/dev/null || echo "The demo goes on without these open weights."
	@$(BIN)/tfw curate --langs all --recipe demo --out demo_out
	@$(BIN)/tfw calibrate sync demo_out || echo "The demo's lip sync stays unmeasured."

test: $(STAMP)
	@scripts/check_system.sh "$(BIN)/python"
	@$(BIN)/python -m pytest tests -m 'not proof and not long and not lint' $(SIDE_BY_SIDE)

test-all: $(STAMP)
	@scripts/check_system.sh "$(BIN)/python"
	@$(BIN)/python -m pytest tests $(SIDE_BY_SIDE)

quick: $(STAMP)
	@$(BIN)/python -m pytest tests --quick $(SIDE_BY_SIDE)

proof: $(STAMP)
	@OMP_NUM_THREADS=1 $(BIN)/python -W ignore -m tests.models.mcdm.proof --out proof_out

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	@$(BIN)/python -m tests.speed

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

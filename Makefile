# make demo    the example through a real ComfyUI; pictures in output/demo/
# make serve   the same ComfyUI, left open
# make check   style, types and the quick tests: before every commit
# make test    every test
# make lint    style and types
# make bench   what we cost beside what one would run instead: tables and a chart in output/bench/
#
# All of them set up .venv first, where it is not up to date. With COMFYUI_DIR=… they use that ComfyUI and install
# nothing; PYTHON=… is then the Python that runs it.

MAKEFLAGS += --no-print-directory
VENV_PYTHON := .venv/bin/python

ifdef COMFYUI_DIR
export COMFYUI_DIR := $(abspath $(COMFYUI_DIR))
PYTHON ?= $(firstword $(wildcard $(COMFYUI_DIR)/.venv/bin/python $(COMFYUI_DIR)/venv/bin/python) python3)
RUN := $(PYTHON)
SET_UP := $(PYTHON) tools/host.py --check
else
PYTHON ?= python3
RUN := $(VENV_PYTHON)
SET_UP := $(PYTHON) tools/host.py
endif

.DEFAULT_GOAL := help
.PHONY: help host demo serve check check-train check-rest bench lint format clean
.PHONY: test test-train test-data test-core test-host test-rest

# Side by side, since most of it runs on one core and waits for a server or a page now and then; what is said comes in
# one piece, where make can (from 4.0 on).
SIDE_BY_SIDE = $(MAKE) --jobs $(if $(filter output-sync,$(.FEATURES)),--output-sync)

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | head -n 9

host:
	@$(SET_UP)

demo: host
	@$(RUN) -m tools.demo

serve: host
	@$(RUN) -m tools.serve

# A thread for each: tests of small networks gain nothing from several, and lose much where two share the cores.
check: host
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(SIDE_BY_SIDE) lint check-train check-rest

check-train: host
	@$(RUN) -m pytest -q -m "not slow" tests/train

check-rest: host
	@$(RUN) -m pytest -q -m "not slow" tests --ignore tests/train

ifdef TESTS
test: host
	@$(RUN) -m pytest $(TESTS)
else
test: host
	@echo "Five parts, side by side; each is shown when it is done."
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(SIDE_BY_SIDE) test-train test-data test-core test-host test-rest
endif

# What goes into a training and what comes out of it, and the training itself: of much the same length.
DATA_TESTS := tests/train/data tests/train/evaluation tests/train/portraits

test-train: host
	@$(RUN) -m pytest tests/train $(addprefix --ignore=,$(DATA_TESTS))

test-data: host
	@$(RUN) -m pytest $(DATA_TESTS)

test-core: host
	@$(RUN) -m pytest tests/core

test-host: host
	@$(RUN) -m pytest tests/host

test-rest: host
	@$(RUN) -m pytest tests --ignore tests/train --ignore tests/core --ignore tests/host

bench:
	@$(SET_UP) --bench
	@$(RUN) -m benchmarks $(BENCH)

lint: host
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy

format: host
	@$(RUN) -m ruff check --fix .
	@$(RUN) -m ruff format .

clean:
	rm -rf .venv .host output build dist

# `make` lists the targets. Options go in ARGS, for example: make run ARGS="--port 9000 --instances 3"
.DEFAULT_GOAL := help
.PHONY: help setup build run check test fleet-test bench release clean
PYTHON := .venv/bin/python
FIRST_PYTHON := $(firstword $(foreach name,python3 python3.12 python3.11,$(shell command -v $(name))))

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 16

setup: ## create .venv, install the pinned requirements and build the web app; instant when nothing changed
	@$(or $(FIRST_PYTHON),python3) -m tools.setup

build: ## build the web app again, whatever changed
	@$(or $(FIRST_PYTHON),python3) -m tools.setup --build

run: setup ## start the whole product on embedded servers (ARGS="--port 9000 --instances 3 --data DIR --no-demo")
	@$(PYTHON) app.py $(ARGS)

check: setup ## ruff, mypy, the import contracts, and the web app's own checks
	@$(PYTHON) -m tools.check

test: setup ## the checks, then every test (ARGS="-k sockets" chooses)
	@$(PYTHON) -m tools.test $(ARGS)

fleet-test: setup ## the tests of several hosts, each booting a Debian of its own; as root, on Debian (ARGS="-k rolled_back")
	@$(PYTHON) -m tools.fleet $(ARGS)

bench: setup ## measure jobs beside BullMQ and RQ, documents, and instances (ARGS="--rounds 3 empty peer", ARGS=--quick to try it)
	@$(PYTHON) -m bench $(ARGS)

release: setup ## build dashify-V.tar.gz, all that a host needs (ARGS="--to DIR --version V")
	@$(PYTHON) -m tools.release $(or $(ARGS),--to build)

clean: ## remove what was built and installed, but not .dashify, where `make run` keeps its data
	@rm -rf .venv .venv-fleet .wheelhouse build frontend/node_modules bench/peer/node_modules dashify/static .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

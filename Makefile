# Every target works from a fresh clone: .venv and its packages are made first (about two minutes, once).
PYTHON ?= $(shell command -v python3.11 || command -v python3)
ARGS ?=
VENV := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help install up down demo audit backup restore test soak check worker-alone format bench chaos chaos-violations lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 28

install:  ## create .venv and install the pinned requirements
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and none was found on PATH"; exit 1; }
	@$(PYTHON) -I deploy/bootstrap.py

up: install  ## run the whole platform in the foreground until Ctrl-C
	@exec $(VENV)/python -m deploy.platform up $(ARGS)

down: install  ## stop a running `make up`
	@exec $(VENV)/python -m deploy.platform down $(ARGS)

demo: install  ## start, run real jobs, show prices and ledger, stop
	@exec $(VENV)/python -m deploy.demo $(ARGS)

audit: install  ## hold every room's books against the ledger; exit 1 on a micro
	@exec $(VENV)/python -m deploy.backup audit $(ARGS)

backup: install  ## ARGS=file: the database and a listing of the buckets in one file (--with-secrets)
	@exec $(VENV)/python -m deploy.backup create $(ARGS)

restore: install  ## ARGS=file: put a backup into an empty installation, then audit it
	@exec $(VENV)/python -m deploy.backup restore $(ARGS)

test: install  ## the tests, on their own PostgreSQL, broker and bucket
	@exec $(VENV)/python -m pytest -m "not soak" $(ARGS)

soak: install  ## the long tests: a short chaos run, installations, what engines sound like
	@exec $(VENV)/python -m pytest -m soak $(ARGS)

check: install  ## ruff, mypy, import-linter, missing migrations
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/python -m deploy.offline $(VENV)/mypy
	@$(VENV)/lint-imports
	@$(VENV)/python -m deploy.offline $(VENV)/python manage.py makemigrations --check --dry-run

worker-alone:  ## requirements/worker.txt alone, in a clean environment, must import the worker
	@rm -rf var/worker-alone && mkdir -p var && $(PYTHON) -m venv var/worker-alone
	@var/worker-alone/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/worker.txt
	@var/worker-alone/bin/python -c "import workers.app, workers.runtime, workers.__main__; print('the worker stands alone')"
	@rm -rf var/worker-alone

format: install  ## let ruff write what `make check` would complain about
	@$(VENV)/ruff check --fix .
	@$(VENV)/ruff format .

bench: install  ## measure submits, reads and whole jobs against two floors
	@exec $(VENV)/python -m deploy.bench $(ARGS)

chaos: install  ## kill every process under load, then audit the ledger
	@exec $(VENV)/python -m deploy.chaos $(ARGS)

chaos-violations: install  ## prove that the audit can fail
	@exec $(VENV)/python -m deploy.chaos --expect-violations $(ARGS)

lock:  ## pin requirements/*.in again (ARGS=--upgrade to move versions)
	@$(PYTHON) requirements/lock $(ARGS)

clean:  ## remove caches (never var/, where the data are)
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -path ./.venv -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf

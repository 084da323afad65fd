# The verbs of this project; `make` alone lists them, and CI runs the same ones.
# `##@ Title` starts a group of the list, `verb: … ## text` is a line of it.

PYTHON := $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
TASK = @$(PYTHON) -m infra.task $@
CHECKS := -- $(BIN)/ruff check . -- $(BIN)/ruff format --check . -- $(BIN)/mypy -- $(BIN)/lint-imports

.DEFAULT_GOAL := help
.PHONY: help setup run demo fire env reset test check format bench bench-commerce bench-catalog bench-outbox chaos map monitoring stage openapi provision lock clean check-invariants dlq-list dlq-replay dlq-dismiss drill reseal backup-drill

help:
	@$(PYTHON) -m infra.task

##@ Start here
run: .venv/installed ## Start everything and serve a seeded marketplace; F=orders for one function
	$(TASK) -- $(BIN)/python -m infra.local.run $(F)

demo: .venv/installed ## Play the whole story over HTTP, from registration to payout
	$(TASK) -- $(BIN)/python -m infra.local.demo

test: .venv/installed ## All checks and tests; T=tests/functions/orders for some tests alone
	$(TASK) $(if $(T),,$(CHECKS)) -- $(BIN)/python -m pytest -n 2 $(T)

##@ While it runs
fire: .venv/installed ## Run a scheduled job now: make fire JOB=cron_order_ttl
	$(if $(JOB),,$(error Say which job: make fire JOB=cron_order_ttl))
	$(TASK) -- $(BIN)/python -m infra.local.fire $(JOB)

env: .venv/installed ## What a shell needs for the runbooks: eval "$(make -s env)"
	@$(BIN)/python -m infra.operations.surroundings

reset: .venv/installed ## Forget the local stack's data
	$(TASK) -- $(BIN)/python -m infra.local.reset

##@ Operate
check-invariants: .venv/installed ## Look whether stock, money and mirrors add up; repairs nothing
	$(TASK) -- $(BIN)/python -m infra.operations.check_invariants

dlq-list: .venv/installed ## List the open dead letters
	$(TASK) -- $(BIN)/python -m infra.operations.dead_letters list

dlq-replay: .venv/installed ## Send a dead letter's event again: make dlq-replay ID=0198…
	$(if $(ID),,$(error Say which letter: make dlq-replay ID=0198…, as make dlq-list tells))
	$(TASK) -- $(BIN)/python -m infra.operations.dead_letters replay $(ID)

dlq-dismiss: .venv/installed ## Let a dead letter rest: make dlq-dismiss ID=0198… REASON='why'
	$(if $(and $(ID),$(REASON)),,$(error Say which letter and why: make dlq-dismiss ID=0198… REASON='why'))
	$(TASK) -- $(BIN)/python -m infra.operations.dead_letters dismiss $(ID) '$(REASON)'

drill: .venv/installed ## Try a runbook on the running stack: make drill R=outbox-backlog
	$(TASK) -- $(BIN)/python -m infra.operations.drill $(R)

reseal: .venv/installed ## Seal every second factor with the present key of PF_MFA_KEYS
	$(TASK) -- $(BIN)/python -m infra.operations.reseal

backup-drill: .venv/installed ## Dump the database, restore the dump beside it, and compare the two
	$(TASK) -- $(BIN)/python -m infra.operations.backup_drill

##@ While you write
check: .venv/installed ## Lint, format, types and import directions, without tests
	$(TASK) $(CHECKS)

format: .venv/installed ## Rewrite the code in the agreed format
	$(TASK) -- $(BIN)/ruff format . -- $(BIN)/ruff check --fix .

map: .venv/installed ## Write functions/README.md from the manifests
	$(TASK) -- $(BIN)/python -m infra.functions_map

monitoring: .venv/installed ## Write the metrics, dashboards and alerts of infra/monitoring
	$(TASK) -- $(BIN)/python -m infra.monitoring

openapi: .venv/installed ## Write the OpenAPI document of all functions
	$(TASK) -- $(BIN)/python -m infra.openapi

bench: .venv/installed ## Measure against the quality bars and print the tables
	$(TASK) -- $(BIN)/python -m tests.performance

bench-commerce: .venv/installed ## Measure quote, checkout and orders as they grow
	$(TASK) -- $(BIN)/python -m tests.performance commerce_growth commerce_books

bench-catalog: .venv/installed ## Measure lists and search up to a million products; PLANS=folder keeps plans
	$(TASK) -- env PLANS=$(PLANS) $(BIN)/python -m tests.performance catalog

bench-outbox: .venv/installed ## Measure the outbox: latency, throughput, growth, old transactions
	$(TASK) -- $(BIN)/python -m tests.performance outbox

chaos: .venv/installed ## Break everything under load and judge what came of it; SEED=7 strikes in that order again
	$(TASK) -- $(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED))

##@ Ship
stage: .venv/installed ## Build one function's bundle in dist/: make stage F=orders
	$(if $(F),,$(error Say which function: make stage F=orders))
	$(TASK) -- $(BIN)/python -m infra.stage $(F)

provision: .venv/installed ## Make topics, subscriptions and what watches them in PF_GCP_PROJECT; DRY_RUN=1 prints the plan
	$(TASK) -- $(BIN)/python -m infra.provision $(if $(DRY_RUN),--dry-run)

lock: ## Pin pyproject.toml's dependencies with hashes in requirements.lock
	$(TASK) -- $(PYTHON) -m infra.lock

##@ Upkeep
setup: .venv/installed ## Make the virtual environment with what requirements.lock names
	@$(PYTHON) -m infra.task setup

clean: ## Remove caches and bundles; the local data stays
	$(TASK) -- $(PYTHON) -m infra.clean

.venv/installed: requirements.lock
	@$(PYTHON) -m infra.task setup -- $(PYTHON) -m infra.environment
	@touch $@

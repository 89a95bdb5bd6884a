.DEFAULT_GOAL := help
.PHONY: demo test check fuzz chaos webhooks bench bench-scale bench-logs bench-webhooks bench-console screenshots sdk-types lock clean help

PYTHON := .venv/bin/python
# What Python compiles is kept, whatever the shell says: the tests start many processes.
PYTEST := PYTHONDONTWRITEBYTECODE= $(PYTHON) -m pytest

demo: ## Start Atrium with a sample workspace and print how to use it (options: ARGS="--port 8001 --brand pivotal")
	@.ci/environment runtime
	@.venv/bin/keyrack demo $(ARGS)

test: ## Run all tests (options: ARGS="-k revoke")
	@.ci/environment dev
	@.ci/browser
	@.ci/tests $(ARGS)

check: ## Check style, types, import contracts and house rules
	@.ci/environment dev
	@status=0; for step in "ruff check" "ruff format --check" mypy "lint-imports --no-logo" "python -m checks"; do \
		echo "== $$step"; .venv/bin/$$step || status=1; \
	done; exit $$status

fuzz: ## Search at length for what must never happen (minutes; options: ARGS="--hypothesis-profile=long")
	@.ci/environment dev
	@$(PYTEST) -n 2 -m fuzz --timeout 86400 $(ARGS)

chaos: ## Do things to a cluster of real processes at length, and judge each answer (half an hour; options: ARGS="--seconds 300 --seed 1")
	@.ci/environment dev
	@$(PYTHON) -m tests.chaos $(ARGS)

webhooks: ## Kill servers in the middle of 10,000 events and judge what arrived (options: ARGS="--events 1000 --stores sqlite")
	@.ci/environment dev
	@$(PYTHON) -m tests.deliveries $(ARGS)

bench: ## Measure the gate beside what it is compared with, and print the figures
	@.ci/environment dev
	@$(PYTHON) -m bench $(ARGS)

bench-scale: ## Measure how cost grows with keys, processes and nodes (options: ARGS="--sizes 10000,1000000 --nodes 0,9")
	@.ci/environment dev
	@$(PYTHON) -m bench.scale $(ARGS)

bench-logs: ## Measure a large request log: moving lines into it, and searching it (options: ARGS="--rows 1000000 --stores postgresql")
	@.ci/environment dev
	@$(PYTHON) -m bench.request_logs $(ARGS)

bench-webhooks: ## Measure deliveries a second, their lag, and what an event costs (options: ARGS="--deliveries 1000 --stores sqlite")
	@.ci/environment dev
	@$(PYTHON) -m bench.webhooks $(ARGS)

bench-console: ## Measure the server's time for each page of the console, with many keys and a large log (options: ARGS="--rows 1000000")
	@.ci/environment dev
	@$(PYTHON) -m bench.console $(ARGS)

screenshots: ## Take pictures of the console's pages into screenshots/ (options: ARGS="--brand pivotal --page keys")
	@.ci/environment dev
	@.ci/browser
	@$(PYTHON) -m tests.browser.screenshots $(ARGS)

sdk-types: ## Write the TypeScript SDK's types anew from Atrium's OpenAPI document
	@.ci/environment dev
	@$(PYTHON) -m tests.sdk.schema

LOCK := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command "make lock"

lock: ## Write the three lock files anew from pyproject.toml (newest versions: ARGS=--upgrade)
	@.ci/environment dev
	$(LOCK) $(ARGS) pyproject.toml -o requirements.lock
	$(LOCK) $(ARGS) --group pyproject.toml:build -c requirements.lock -o requirements-build.lock
	$(LOCK) $(ARGS) pyproject.toml --group dev -c requirements.lock -c requirements-build.lock -o requirements-dev.lock

clean: ## Remove what the tools made; the data in keyrack-data stays
	rm -rf .venv build dist screenshots examples/*/node_modules tests/*/node_modules src/keyrack/console/static/vendor .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests checks -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## List what make can do
	@sed -n 's/^\([a-z-]*\): ## \(.*\)/\1\t\2/p' Makefile | expand -t 16

# Sortie on a laptop and on AWS. `make` alone lists what there is.

SHELL := /bin/sh
.DEFAULT_GOAL := help
BIN := .venv/bin
PY := $(BIN)/python
# What running needs, and everything: the second takes four times as long to install.
RUNNABLE := .venv/.runnable
READY := .venv/.ready
BIOME := node_modules/.bin/biome
CODE := $(wildcard app.py) chalicelib clients dev ops tests benchmarks

# Everything under chalicelib/ is zipped for Lambda: no byte code is left there.
export PYTHONDONTWRITEBYTECODE = 1

.PHONY: help run resources test check check-web bench fix clean deploy-offline stop-offline deploy destroy
.PHONY: bench-deployed cost capacity doctor imports lock spec soak mutate

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(if $(filter moto,$(EMULATOR)),$(READY),$(RUNNABLE)) ## Start everything on this machine; PORT=9000 moves it, Ctrl-C stops it
	@exec $(PY) -m dev

resources: $(RUNNABLE) ## Make table, queues and bucket on an emulator that runs already, at AWS_ENDPOINT_URL
	@exec $(PY) -m dev.resources

test: $(READY) ## Run the tests that are quick and need only Python: all units, and the README's walk
	@$(PY) -m pytest -n 2 --dist loadgroup -m "not slow" tests/pure tests/emulated \
	  tests/stacks/e2e/test_readme.py::test_the_walk_of_the_readme_does_what_it_says

check: $(READY) ## Format, lint, types and all tests: what CI runs
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	@$(MAKE) --no-print-directory check-web
	$(call TEST,-n 2 --dist loadgroup,tests/pure tests/emulated)
	$(call TEST,,tests/stacks)

check-web: ## Format and lint the JavaScript and CSS of the page
	@if command -v npm >/dev/null; then \
	  $(MAKE) --no-print-directory $(BIOME) && echo "$(BIOME) check" && $(BIOME) check --error-on-warnings; \
	elif [ "$$CI" = true ]; then \
	  echo 'npm is missing: install Node.js 20 or newer with npm (Debian, Ubuntu: apt install npm).' >&2; exit 1; \
	else \
	  echo 'npm is missing: the JavaScript and CSS of chalicelib/web are not checked. Node.js brings it.' >&2; \
	fi

bench: $(READY) ## Measure the sort and hold it to its promise
	@$(PY) -m benchmarks
	@$(PY) -m pytest benchmarks

bench-deployed: $(READY) ## Deploy Sortie and a plain Chalice app in turn, and compare how fast 500 jobs are done (minutes)
	@exec $(PY) -m benchmarks.deployed

soak: $(READY) ## Try random histories, then jobs on a stack that is being killed: make soak SECONDS=3600 JOBS=10000
	@exec $(PY) -m tests.soak

mutate: $(READY) ## Take out each condition and guard, one at a time, and see whether a test finds it (90 minutes)
	@exec $(PY) -m benchmarks.mutation

fix: $(READY) ## Format the code and mend what lint can mend
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(BIOME) && $(BIOME) check --write; fi

clean: ## Remove stored jobs, caches and builds; the virtual environment stays
	rm -rf .data .build .hypothesis .mypy_cache .pytest_cache .ruff_cache .chalice/deployments
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

deploy-offline: $(READY) ## Deploy the real package to an emulator on this machine
	@exec $(PY) -m ops.deploy_offline

stop-offline: $(READY) ## Stop that emulator
	@exec $(PY) -m ops.offline

deploy: $(READY) ## Deploy to AWS: make deploy STAGE=prod
	@exec $(PY) -m ops.deploy

destroy: $(READY) ## Remove a stage and its data from AWS: make destroy STAGE=dev
	@exec $(PY) -m ops.destroy

cost: $(READY) ## Count a thousand jobs and say what a million cost
	@exec $(PY) -m benchmarks.cost

capacity: $(READY) ## Say how many jobs a second AWS's limits carry, and which breaks first
	@exec $(PY) -m benchmarks.capacity

doctor: $(READY) ## Say what an emulator keeps of AWS: make doctor ENDPOINT=http://localhost:4566
	@exec $(PY) -m ops.doctor

imports: $(READY) ## Draw who imports whom, as CONTRIBUTING.md shows it
	@$(PY) -m tests.support.imports

lock: $(READY) ## Write the requirements-*.lock anew, after a change of a requirements-*.txt
	@for each in requirements-dev requirements-run requirements; do \
	  head -n 1 $$each.lock > $$each.new && \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url --no-emit-find-links --index-strategy unsafe-best-match \
	    $$([ $$each = requirements-dev ] || echo -c requirements-dev.lock) $$each.txt >> $$each.new && \
	  mv $$each.new $$each.lock || exit 1; \
	done

spec: $(READY) ## Write docs/openapi.json from the models that validate
	@$(PY) -m ops.spec

# The version stands in package.json, its checksum in package-lock.json.
$(BIOME): package.json package-lock.json
	@echo 'Installing what formats and lints the page, and the tools that read the spec.'
	@npm ci --loglevel=error --ignore-scripts --no-audit --no-fund && touch $@

# Machines are shared and engines now and then lose an event: what fails is named, and has to pass alone.
define TEST
$(PY) -m pytest $(1) $(2) || { [ $$? = 1 ] && echo 'What failed is tried once more, alone.' && \
	  $(PY) -m pytest --last-failed --last-failed-no-failures none $(2); }
endef

# A failed install leaves no mark, so that the next make tries again.
define INSTALL
	@echo 'Installing $(1) (once).'; \
	if ! $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1); then \
	  echo 'The install failed; its reason is above. Is a package index within reach (pip config list)?' >&2; \
	  echo 'Then run the same command again.' >&2; \
	  exit 1; \
	fi; \
	touch $@
endef

$(READY): $(RUNNABLE) requirements-dev.lock
	$(call INSTALL,requirements-dev.lock)

$(RUNNABLE): requirements-run.lock
	@set -e; \
	if [ ! -x $(PY) ] || ! $(PY) -c pass 2>/dev/null; then \
	  python=''; \
	  for each in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3 python; do \
	    if $$each -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	    then python=$$each; break; fi; \
	  done; \
	  if [ -z "$$python" ]; then \
	    echo 'No Python 3.11 or newer with venv was found.' >&2; \
	    echo 'Install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.12),' >&2; \
	    echo 'or name it: make PYTHON=/path/to/python3.12 run' >&2; \
	    exit 1; \
	  fi; \
	  echo "Making .venv with $$python."; \
	  rm -rf .venv; $$python -m venv .venv; \
	fi
	$(call INSTALL,requirements-run.lock)

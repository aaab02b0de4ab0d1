# Sojourn: every daily task is one word. `make` alone lists them.

# Relative on purpose: it works wherever the clone lies, spaces in its path included.
PY := .venv/bin/python
READY := .venv/.ready
# Commands and servers are processes of their own: each would compile all it imports anew.
unexport PYTHONDONTWRITEBYTECODE
# What tests of one file share is made once in each process: cheaper than to wait for the slowest file.
SIDE_BY_SIDE := -n auto --maxprocesses 4 --dist worksteal

# Properties whose every example is dear: a few in each run of the tests, many in laws-test.
HARDER := tests/laws tests/adapters/lake tests/analytics/sql tests/conformance tests/server/test_openapi.py

# Where processes are killed, again and again.
KILLED := tests/crash tests/adapters/lake tests/cli tests/wiring

.DEFAULT_GOAL := help
.PHONY: help demo test check studio web-test browser-test screenshots dist bench bench-analytics soak crash slow-test laws-test spark-test cluster-test deploy-test peers-test statistics-test docs format clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## watch people of a simulated shop move through journeys (DEMO_SECONDS=30: ends by itself)
	@$(PY) web/build.py || echo "Going on without it."
	@$(PY) -m demo

test: $(READY) ## run the tests, all but the slow ones
	$(PY) -m pytest -m "not slow and not browser and not cluster" $(SIDE_BY_SIDE)

check: $(READY) ## formatting, lint, types and floors
	$(PY) -m ruff format --check
	$(PY) -m ruff check
	$(PY) -m mypy
	.venv/bin/lint-imports --no-logo

bench: $(READY) ## measure, and write bench/latest.json
	@$(PY) -m bench

bench-analytics: $(READY) ## measure analytics beside its peers, each installed under .bench
	@$(PY) -m bench.analytics

soak: $(READY) ## try every property many times as hard: hours (SOAK=20)
	SOJOURN_SOAK=$(or $(SOAK),20) $(PY) -m pytest -m "not browser and not cluster" $(SIDE_BY_SIDE)

crash: $(READY) ## 100 rounds of kill -9 under load, of each part that writes
	$(PY) -m pytest -m slow -n 2 --dist worksteal $(KILLED)

slow-test: $(READY) ## the other slow tests: what is true over thousands of tries, and every page's commands
	$(PY) -m pytest -m slow -n 2 --dist worksteal $(KILLED:%=--ignore=%)

laws-test: $(READY) ## properties whose every example is dear, four times as hard
	SOJOURN_SOAK=4 $(PY) -m pytest -m "not slow and not browser and not cluster" $(SIDE_BY_SIDE) $(HARDER)

spark-test: $(READY) ## ask Spark what DuckDB is asked, in an environment of its own (needs Java 17)
	$(call peer,spark)
	SOJOURN_SPARK_PYTHON=.peers/spark/bin/python $(PY) -m pytest -m slow tests/analytics/sql/test_on_spark.py

cluster-test: $(READY) ## get Kafka and Flink, start them here, and run on them (needs Java 17 and Maven)
	@.ci/redis
	$(call jars,kafka,deploy/kafka)
	$(call jars,flink-jars,deploy/flink)
	$(call jars,zookeeper,deploy/zookeeper)
	@[ -x .peers/flink/bin/python ] || .ci/environment venv --quiet --python $(PY) .peers/flink
	@.ci/environment pip sync --quiet --python .peers/flink/bin/python deploy/flink/requirements.txt
	$(PY) -m pytest -m cluster tests/cluster

deploy-test: $(READY) ## check deploy/ by the schemas of compose, Kubernetes, its operators and Grafana
	$(call peer,deploy)
	@if command -v mvn >/dev/null; then $(MAKE) --silent .peers/crds; fi
	PYTHONPATH=src .peers/deploy/bin/python -m pytest -rs tests/deploy/test_schemas.py

.peers/crds: tests/deploy/crds/pom.xml
	$(call jars,crds,tests/deploy/crds)

# .peers/NAME, of what the pom in a folder names, from Maven Central.
define jars
@[ .peers/$(1) -nt $(2)/pom.xml ] || { rm -rf .peers/$(1) && mvn -q -B -f $(2)/pom.xml dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/.peers/$(1) && touch .peers/$(1); }
endef

peers-test: $(READY) ## read what pm4py, pandas, polars and pyarrow hand out, in an environment of their own
	$(call peer,frames)
	PYTHONPATH=src .peers/frames/bin/python -m pytest tests/peers

statistics-test: $(READY) ## compare statistics with scipy, statsmodels, tea-tasting, gbstats and lifelines, in an environment of their own
	$(call peer,statistics)
	PYTHONPATH=src .peers/statistics/bin/python -m pytest tests/peers/test_statistics.py

# .peers/NAME, of what tests/peers/NAME.txt pins: nothing of it comes near our own environment.
define peer
@[ -x .peers/$(1)/bin/python ] || .ci/environment venv --quiet --python $(PY) .peers/$(1)
@.ci/environment pip sync --quiet --python .peers/$(1)/bin/python tests/peers/$(1).txt
endef

studio: $(READY) ## build the web studio and the browser SDK, where their sources changed
	@$(PY) web/build.py

web-test: studio ## check and test TypeScript, and the sizes of what is built
	@$(PY) web/build.py check test sizes

browser-test: studio ## use the studio and the SDKs in a real browser (Debian: apt install chromium)
	$(PY) -m pytest -m browser tests/browser

screenshots: studio ## take a picture of every page of the studio, in light and dark
	$(PY) -m tests.browser.screenshots

dist: $(READY) ## build the wheel, with the studio inside, into dist/
	.ci/environment build --quiet --wheel --out-dir dist

docs: $(READY) ## write the references and the studio's figures anew, and run every command the docs show
	$(PY) -m typer sojourn.cli.app utils docs --name sojourn --output docs/reference/cli.md
	$(PY) -m tests.test_lake_reference
	$(PY) -m bench.in_docs
	$(PY) -m pytest tests/test_docs.py

format: $(READY) ## put code in its one format, and mend what lint can mend
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

clean: ## remove the environment and everything else that can be made again
	rm -rf .venv .uv web/node_modules web/sdk/dist src/sojourn/server/studio .bench .peers .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist demo-data
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml uv.lock .ci/environment
	@echo "Making the environment in .venv (once, and again when uv.lock changes) ..."
	@.ci/environment
	@touch $@

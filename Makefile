# Two commands for everybody: `make demo` and `make test`. The rest is for those who change the code.
# The first that runs and is new enough; `make PYTHON=/path/to/python …` takes another.
PYTHON ?= $(shell for each in python3.13 python3.12 python3.11 python3; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
BIN := .venv/bin
ARGS ?=

.PHONY: demo test test-lowest test-thorough unit check lock page picture bench chaos proof clean browser

demo: .venv/demo
	$(BIN)/jobthread demo $(ARGS)

test: .venv/dev browser
	$(BIN)/pytest $(ARGS)

# The half of the tests that needs no loop and no process, for while one writes.
unit: .venv/dev
	$(BIN)/pytest -m unit $(ARGS)

# The property tests with 20 times the examples: about 15 minutes.
test-thorough: .venv/dev
	$(BIN)/pytest -m hypothesis --hypothesis-profile thorough $(ARGS)

# The unit part with the lowest versions that pyproject.toml allows.
test-lowest: .venv-lowest/installed
	.venv-lowest/bin/pytest -m unit -p no:cacheprovider $(ARGS)

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/drift

bench: .venv/dev
	$(BIN)/python -m bench $(ARGS)

# Three minutes of the proof of delivery, and that it fails without each of its safeguards.
proof: .venv/dev
	$(BIN)/pytest -m proof $(ARGS)

# The proof of delivery: 15 minutes, or as long as ARGS="--minutes 1" says.
chaos: .venv/dev
	$(BIN)/python -m chaos $(ARGS)

# An environment holds exactly what its lock lists, checked by hash, and the project itself.
define install
	@test -x $(1)/bin/python || test -n "$(PYTHON)" || { echo "jobthread needs Python 3.11 or newer. \
	Install one, or name it: make PYTHON=/path/to/python $(MAKECMDGOALS)" >&2; exit 1; }
	test -x $(1)/bin/python || $(PYTHON) -m venv $(1)
	$(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	$(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@
endef

.venv/demo .venv/dev: .venv/%: requirements/%.txt pyproject.toml
	$(call install,.venv)

.venv-lowest/installed: requirements/lowest.txt pyproject.toml
	$(call install,.venv-lowest)

# On CI the page is tested in a real browser; elsewhere those tests say how to get one.
browser:
	@if [ "$$CI" = true ] && ! command -v chromium >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-color-emoji; \
	fi

# Versions and hashes for every platform; no registry is named.
COMPILE = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet --upgrade

lock:
	$(BIN)/python -m pip install --quiet uv
	for group in demo dev serve; do \
		$(COMPILE) --group $$group --output-file requirements/$$group.txt || exit 1; \
	done
	$(COMPILE) --group dev --resolution lowest-direct --output-file requirements/lowest.txt

# The page's bundle is kept in the repository, so that users need no Node.
page:
	cd localslack/page && npm ci && npm run build

clean:
	rm -rf .venv .venv-lowest build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis localslack/page/node_modules

picture: .venv/dev
	$(BIN)/python docs/pictures/take.py

# Two commands for everybody: `make demo` and `make test`. The rest is for those who change the code.
PYTHON ?= python3.11
BIN := .venv/bin
ARGS ?=

.PHONY: demo test unit check lock page picture bench chaos proof clean browser

demo: .venv/demo
	$(BIN)/jobthread demo $(ARGS)

test: .venv/dev browser
	$(BIN)/pytest $(ARGS)

# The half of the tests that needs no loop and no process, for while one writes.
unit: .venv/dev
	$(BIN)/pytest -m unit $(ARGS)

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
.venv/demo .venv/dev: .venv/%: requirements/%.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# On CI the page is tested in a real browser; elsewhere those tests say how to get one.
browser:
	@if [ "$$CI" = true ] && ! command -v chromium >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-color-emoji; \
	fi

lock:
	$(BIN)/python -m pip install --quiet uv
	for group in demo dev serve; do \
		$(BIN)/uv pip compile pyproject.toml --group $$group --universal --python-version 3.11 \
			--generate-hashes --no-emit-index-url --custom-compile-command "make lock" --quiet \
			--upgrade --output-file requirements/$$group.txt; \
	done

# The page's bundle is kept in the repository, so that users need no Node.
page:
	cd localslack/page && npm ci && npm run build

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis localslack/page/node_modules

picture: .venv/dev
	$(BIN)/python docs/pictures/take.py

# Every target stands alone: on a fresh clone it first makes .venv and installs
# what it needs, and does so again only when pyproject.toml or constraints.txt change.
#
#   make demo            measure the sample scan, results in demo_output/
#   make demo VIEWER=1   the same, then open napari on the result
#   make test            the tests (PYTEST_ARGS="-k overlap" passes options on)
#   make fuzz            read 20,000 broken files of each format (FUZZ_ARGS="--count 500")
#   make lint            ruff; `make format` repairs what it can
#   make screenshots     the pictures in docs/
#   make clean           remove everything that make made
#
# PYTHON=/path/to/python3.11 chooses the interpreter.

PYTHON      ?=
VIEWER      ?=
PYTEST_ARGS ?=
FUZZ_ARGS   ?=

VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
INPUTS := pyproject.toml constraints.txt

CREATED := $(VENV)/.made-created
BASE    := $(VENV)/.made-base
FULL    := $(VENV)/.made-full

# The full installation serves everything; without it the demo needs only the base.
DEMO_INSTALL := $(if $(VIEWER)$(wildcard $(FULL)),$(FULL),$(BASE))

.PHONY: help demo test fuzz lint format screenshots clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^#   //p' Makefile

demo: $(DEMO_INSTALL)
	$(if $(VIEWER),@sh tools/system_libraries.sh --viewer)
	$(BIN)/napari-vbmd demo --out demo_output $(if $(VIEWER),--viewer)

test: $(FULL)
	@sh tools/system_libraries.sh
	OMP_NUM_THREADS=1 sh tools/with_display.sh $(BIN)/python -m pytest -n 3 $(PYTEST_ARGS)

fuzz: $(FULL)
	$(BIN)/python tools/fuzz_files.py $(FUZZ_ARGS)

lint: $(FULL)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(FULL)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

screenshots: $(FULL)
	@sh tools/system_libraries.sh
	$(PIP) install --quiet --group docs
	sh tools/with_display.sh $(BIN)/python docs/make_screenshots.py
	sh tools/with_display.sh $(BIN)/python docs/make_tutorial.py

# pip knows dependency groups from 25.1 on; a new virtual environment may hold an older one.
$(CREATED):
	@python="$(PYTHON)"; test -n "$$python" || python=$$(sh tools/find_python.sh) || exit 1; \
	echo "Making $(VENV) with $$python"; "$$python" -m venv $(VENV)
	$(PIP) install --quiet --upgrade 'pip>=25.1'
	@touch $@

$(BASE): $(INPUTS) | $(CREATED)
	@echo "Installing napari-vbmd into $(VENV): this takes a few minutes the first time."
	$(PIP) install -c constraints.txt -e .
	@touch $@

$(FULL): $(INPUTS) | $(CREATED)
	@echo "Installing napari-vbmd, napari with Qt, and the test tools into $(VENV):"
	@echo "this takes a few minutes the first time."
	$(PIP) install -c constraints.txt -e '.[all]' --group test
	@touch $@ $(BASE)

clean:
	rm -rf $(VENV) demo_output build dist .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

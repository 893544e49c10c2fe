# Two commands matter:   make lab   opens the course,   make test   says whether it works.
# Needed: make, and either Python 3.11 or newer or uv (which brings a Python). Everything else goes into .venv, the
# first time and whenever pyproject.toml or constraints.txt change.

PYTHON ?= python3
VENV ?= .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
INSTALLED := $(VENV)/.installed
# uv, where it is, unless pip has been told where to look; make lab UV= takes pip.
UV := $(if $(PIP_NO_INDEX)$(PIP_INDEX_URL),,$(shell command -v uv 2>/dev/null))

# Linux without an NVIDIA card: PyTorch's small build, unless pip has been told where to look. uv sees that by itself.
SMALL = $$(case "$$(uname -s)$$(command -v nvidia-smi)$$($(BIN)/python -m pip config list | grep 'index\|links')" in \
	Linux) echo --extra-index-url https://download.pytorch.org/whl/cpu;; esac)

# Waiting threads leave the cores to the others: on a busy machine small layers run three times as fast.
export OMP_WAIT_POLICY = PASSIVE

.DEFAULT_GOAL := help
.PHONY: help lab test test-solutions test-browser test-machines test-oldest test-all lessons gallery bench site badges lock wheel wheels lint format train-encoder train-johnson train-cin train-adain train-inverse train-adjustable venv

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-24s%s\n", $$1, $$2 }'

lab: $(INSTALLED)  ## open your copy of the lessons in JupyterLab; elsewhere than in ~/my-stylelearn: make lab FOLDER=there
	$(BIN)/stylelearn lab $(FOLDER)

# Files side by side, one thread each; the cells of a notebook one after the other.
JOBS ?= 2
SIDE_BY_SIDE = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile
NOTEBOOKS = --nbval-lax --nbval-current-env --nbval-cell-timeout 600

# What takes longest first, so that no core waits at the end.
test: $(INSTALLED)  ## every lesson from top to bottom, then unit tests
	$(SIDE_BY_SIDE) --no-loadscope-reorder -m "not browser" lessons tests --ignore lessons/solutions $(NOTEBOOKS)

test-solutions: $(INSTALLED)  ## every lesson's solutions from top to bottom
	$(SIDE_BY_SIDE) lessons/solutions $(NOTEBOOKS)

test-browser: $(INSTALLED)  ## a lesson in a real browser (needs Chromium; npm, if it is there, brings axe)
	-npm install --no-save --ignore-scripts --no-audit --no-fund --prefix $(VENV)/axe axe-core@4.10.3
	$(BIN)/python -m pytest -m browser tests

# What rests on sums in floating point, in another order than that of `make test`.
OLD_PROCESSOR = ATEN_CPU_CAPABILITY=default OPENBLAS_CORETYPE=Sandybridge
MACHINES = OMP_NUM_THREADS=2 ATEN_CPU_CAPABILITY=avx2 "$(OLD_PROCESSOR)"
NUMERICAL = $(filter-out $(addprefix tests/test_,$(addsuffix .py,$(OTHER))),$(wildcard tests/test_*.py))
OTHER = browser house lessons teaching classroom rerun to_nbgrader styles gallery doctor site hub cli% lab% bench% decoding files images \
	samples registry training video weights study figures
test-machines: $(INSTALLED)  ## the numerical tests with two threads and on other processors
	@failed=; for machine in $(MACHINES); do echo "$$machine"; \
		env OMP_NUM_THREADS=1 $$machine $(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile $(NUMERICAL) || failed=1; \
	done; test -z "$$failed"

# On Linux without an NVIDIA card: UV_TORCH_BACKEND=cpu make test-oldest
OLDEST ?= .venv-oldest
test-oldest: $(INSTALLED)  ## unit tests with the oldest versions that pyproject.toml allows
	$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt uv
	$(BIN)/uv pip compile -q --no-sources --resolution lowest-direct --extra test --python $(BIN)/python pyproject.toml -o $(OLDEST).txt
	$(BIN)/uv venv -q --allow-existing --python $(BIN)/python $(OLDEST)
	VIRTUAL_ENV=$(OLDEST) $(BIN)/uv pip sync -q $(OLDEST).txt
	PYTHONPATH=. OMP_NUM_THREADS=1 $(OLDEST)/$(notdir $(BIN))/python -m pytest -n $(JOBS) --dist loadfile -m "not browser" tests

test-all: test test-solutions test-browser  ## what CI runs: everything but other machines and oldest versions

lessons: $(INSTALLED)  ## build the notebooks from lessons/src; some only: make lessons NAME="01 02"
	$(BIN)/python lessons/tools/build.py $(NAME)

gallery: $(INSTALLED)  ## paint the pictures of the README; some only: make gallery NAME="welcome light"
	$(BIN)/python data/gallery/paint.py $(NAME)

bench: $(INSTALLED)  ## measure what the course promises; some only: make bench NAME="gatys swap" [MORE=options]
	$(BIN)/python -m benchmarks $(NAME) $(MORE)

# A virtual environment of its own: no learner needs Sphinx. Nothing is run; a dead link inside the course is an error.
SITE ?= .site
MATHJAX := node_modules/mathjax/es5
SITE_MATHJAX = $(SITE)/html/_static/mathjax
site:  ## the course as web pages: .site/html/index.html (needs npm; PyPI the first time)
	$(PYTHON) -m venv $(SITE)
	$(SITE)/$(notdir $(BIN))/python -m pip install --disable-pip-version-check -q -r site/requirements.txt
	npm install --no-save --ignore-scripts --no-audit --no-fund --prefix $(SITE) mathjax@3.2.2
	$(SITE)/$(notdir $(BIN))/python site/gather.py $(SITE)/pages
	$(SITE)/$(notdir $(BIN))/python -m sphinx -q -W --keep-going -c site -d $(SITE)/doctrees $(SITE)/pages $(SITE)/html
	mkdir -p $(SITE_MATHJAX)/output/chtml
	cp $(SITE)/$(MATHJAX)/tex-chtml-full.js $(SITE_MATHJAX)
	cp -R $(SITE)/$(MATHJAX)/output/chtml/fonts $(SITE_MATHJAX)/output/chtml

badges:  ## for Binder, Codespaces and the site, in the README: REPOSITORY=owner/name on GitHub; without it they go
	$(PYTHON) lessons/tools/badges.py "$(REPOSITORY)"

# Public addresses only, whatever index this machine uses; the versions of constraints.txt, for every system.
lock:  ## uv.lock, for `uv sync` and `uv run` (needs uv and the internet)
	uv lock --no-config --default-index https://pypi.org/simple $$(sed -n '/==/s/^[^#]/-P &/p' constraints.txt)

wheel: $(INSTALLED)  ## the course as one file for pip, lessons included: dist/stylelearn-….whl
	$(BIN)/python -m pip wheel --disable-pip-version-check --no-deps --wheel-dir dist .

# editables is what an editable installation asks for on top, while it is being made.
wheels: $(INSTALLED)  ## collect all packages in wheels/, for machines without internet (see lessons/TEACHING.md)
	$(BIN)/python -m pip download --disable-pip-version-check --dest wheels $(SMALL) -c constraints.txt ".[test]" editables

lint: $(INSTALLED)  ## ruff (rules and format, notebooks too) and mypy (the package)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(INSTALLED)  ## let ruff put right what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Training takes folders of pictures that are yours; MORE holds any further options, such as MORE="--preset gpu".
TEACHER ?= squeezenet
train-encoder: OUT ?= encoder.safetensors
train-encoder: $(INSTALLED)  ## train the bundled encoder: PHOTOS=folder STYLES=folder [TEACHER=squeezenet] [OUT=file]
	@test -n "$(PHOTOS)" -a -n "$(STYLES)" || \
		{ echo "name two folders of pictures: make train-encoder PHOTOS=photos STYLES=paintings" >&2; exit 1; }
	$(BIN)/stylelearn train encoder --photos "$(PHOTOS)" --styles "$(STYLES)" --teacher "$(TEACHER)" --out "$(OUT)" $(MORE)

train-johnson: OUT ?= $(basename $(notdir $(STYLE))).safetensors
train-johnson: $(INSTALLED)  ## train a network for one style: PHOTOS=folder STYLE=picture [OUT=file] [MORE=options]
	@test -n "$(PHOTOS)" -a -n "$(STYLE)" || \
		{ echo "name photographs and a style: make train-johnson PHOTOS=photos STYLE=painting.jpg" >&2; exit 1; }
	$(BIN)/stylelearn train johnson --photos "$(PHOTOS)" --style "$(STYLE)" --out "$(OUT)" $(MORE)

train-cin: OUT ?= many_styles.safetensors
train-cin: $(INSTALLED)  ## one network for many styles: PHOTOS=folder STYLES="picture picture …" [OUT=file] [MORE=options]
	@test -n "$(PHOTOS)" -a -n "$(STYLES)" || \
		{ echo "name photographs and styles: make train-cin PHOTOS=photos STYLES=\"mosaic batik\"" >&2; exit 1; }
	$(BIN)/stylelearn train cin --photos "$(PHOTOS)" --styles $(STYLES) --out "$(OUT)" $(MORE)

train-adain: OUT ?= decoder.safetensors
train-adain:  ## a decoder for any style: PHOTOS=folder STYLES=folder [OUT=file] [MORE=options]
train-inverse: OUT ?= inverse.safetensors
train-inverse:  ## a network that paints swapped activations: PHOTOS=folder STYLES=folder [OUT=file] [MORE=options]
train-adjustable: OUT ?= adjustable.safetensors
train-adjustable:  ## a network with a slider a layer: PHOTOS=folder STYLES=folder [OUT=file] [MORE=options]
train-adain train-inverse train-adjustable: train-%: $(INSTALLED)
	@test -n "$(PHOTOS)" -a -n "$(STYLES)" || \
		{ echo "name two folders of pictures: make $@ PHOTOS=photos STYLES=paintings" >&2; exit 1; }
	$(BIN)/stylelearn train $* --photos "$(PHOTOS)" --styles "$(STYLES)" --out "$(OUT)" $(MORE)

$(INSTALLED): pyproject.toml constraints.txt
ifdef UV
	@test -x $(BIN)/python || $(UV) venv -q --seed --python ">=3.11" $(VENV)
	$(UV) pip install --python $(BIN)/python --no-sources --torch-backend auto -c constraints.txt -e ".[test]"
else
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(MAKE) --no-print-directory venv
	$(BIN)/python -m pip install --disable-pip-version-check $(SMALL) -c constraints.txt -e ".[test]"
endif
	@touch $@

venv:
	@command -v $(PYTHON) >/dev/null || \
		{ echo "no program '$(PYTHON)' here; name a Python of 3.11 or newer: make lab PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else "stylelearn needs Python 3.11 or newer, and $(PYTHON) is %d.%d; install a newer one (https://www.python.org/downloads) or name it: make lab PYTHON=python3.12" % (v[0], v[1]))'
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "could not make $(VENV); on Debian and Ubuntu: sudo apt install python3-venv, then again" >&2; exit 1; }

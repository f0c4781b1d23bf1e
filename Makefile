# make train | make test | make check: everything else is set up on the way. See `make help`.

PYTHON ?= python3
# A release of TensorFlow other than that of the lock files, such as 2.20.
TENSORFLOW ?=
VENV ?= .venv$(addprefix -tf,$(TENSORFLOW))
TORCH ?= 1
ARGS ?=

BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.installed-run
TEST_STAMP := $(VENV)/.installed-test
TORCH_STAMP := $(VENV)/.installed-torch
DOCS_STAMP := $(VENV)/.installed-docs
PIP := $(BIN)/python -m pip --disable-pip-version-check install
# Of pip's output it shows the lines that tell how far the set-up is: what is fetched, with its size.
# The file FAILED carries pip's failure through the pipe.
FAILED := $(VENV)/.failed
define install
	@rm -f $(FAILED)
	@{ SEQCLF_NATIVE=0 PYTHONUNBUFFERED=1 $(PIP) $(1) || touch $(FAILED); } | sed \
		-e 's/^  *Downloading \(.*\)/  fetching \1/;t' \
		-e 's/^  *Using cached \(.*\)/  have \1/;t' -e 's/^Processing [^ ]*\/\([^ ]*\).*/  have \1/;t' \
		-e 's/^Installing collected packages.*/  installing: takes up to two minutes and prints nothing/;t' -e d
	@test ! -e $(FAILED)
endef
# A lock names every package, so nothing is left to resolve; older pips, asked to, would look for the
# newest "etils[epath]" where "etils" is pinned, and refuse it for its missing hash.
LOCKED := --require-hashes --no-deps
# A path of its own for the package: setuptools' import finder would come after a folder of its name.
AS_PATH := --config-settings editable_mode=compat --editable
# $(call packages,LOCK): what pip installs. It is the file requirements/LOCK.txt, or with TENSORFLOW=2.20
# the newest packages that pyproject.toml allows beside that TensorFlow.
EXTRAS_run := [serve]
EXTRAS_test := [test,dev,notebooks]
EXTRAS_docs := [test,docs]
ifeq ($(TENSORFLOW),)
packages = $(LOCKED) -r requirements/$(1).txt
else
packages = 'setuptools>=77' 'tensorflow==$(TENSORFLOW).*' $(AS_PATH) '.$(EXTRAS_$(1))'
endif
NATIVE_STAMP := $(VENV)/.native
TEST_STAMPS := $(TEST_STAMP) $(NATIVE_STAMP) $(if $(filter-out 0,$(TORCH)),$(TORCH_STAMP))

.PHONY: help train test test-slow test-runtime coverage faults notebooks docs sanitize check lock dist clean
.DELETE_ON_ERROR:

help:
	@echo "make train        train on the bundled digits, evaluate, export (ARGS=... are flags of seqclf.train)"
	@echo "make test         run the tests (ARGS=... go to pytest; TORCH=0 leaves PyTorch out)"
	@echo "make test-slow    run the slow tests as well, and search for counterexamples at random"
	@echo "make test-runtime run the tests of the export's checks with TensorFlow Serving's TensorFlow"
	@echo "make faults       run the tests that kill, fill and damage, and those of several workers"
	@echo "make coverage     run the tests and say which lines of seqclf they reach"
	@echo "make notebooks    run the notebooks from clean kernels"
	@echo "make docs         build the documentation site into build/docs and check it"
	@echo "make sanitize     run the native code under the compiler's sanitizers"
	@echo "make check        lint, type-check, check who imports whom"
	@echo "make lock         solve the lock files in requirements/ anew"
	@echo "make dist         build and check the distributions of seqclf and of its client in dist/ (Linux)"
	@echo "make clean        remove the environment and caches"
	@echo "PYTHON=python3.12 picks the interpreter (3.10 to 3.13)."
	@echo "TENSORFLOW=2.20 picks the release of TensorFlow (2.19 to 2.21), in .venv-tf2.20 and not by the lock files."

train: $(RUN_STAMP) $(NATIVE_STAMP)
	$(BIN)/python -m seqclf.train --config=configs/digits.py $(ARGS)

PYTEST := $(BIN)/python -m pytest --numprocesses=auto --dist=worksteal

test: $(TEST_STAMPS)
	$(PYTEST) $(ARGS)

test-slow: $(TEST_STAMPS)
	$(PYTEST) -m "slow or not slow" --hypothesis-profile=random $(ARGS)

coverage: $(TEST_STAMPS)
	$(PYTEST) --cov --cov-report=term:skip-covered $(ARGS)

faults: $(TEST_STAMP) $(NATIVE_STAMP)
	$(PYTEST) -m "faults and not slow" $(ARGS)

notebooks: $(TEST_STAMP) $(NATIVE_STAMP)
	$(BIN)/python -m pytest tests/docs/test_notebooks.py -m notebooks $(ARGS)

# Built anew each time: Sphinx says what is wrong with a page only when it reads the page.
SITE := build/docs

docs: $(DOCS_STAMP)
	@rm -rf $(SITE) build/docs-read
	$(BIN)/python -m sphinx --builder html --fail-on-warning --keep-going --nitpicky --quiet \
		--doctree-dir build/docs-read docs $(SITE)
	SEQCLF_SITE=$(SITE) $(BIN)/python -m pytest -p no:xdist -m docs tests/docs/test_site.py $(ARGS)
	@echo "The site is built. Open $(abspath $(SITE))/index.html in a browser."

# The libraries alone: of TensorFlow 2.20, which the newest TensorFlow Serving is built on.
RUNTIME := $(VENV)/runtime-2.20.0

test-runtime: $(TEST_STAMPS) $(RUNTIME)/tensorflow
	SEQCLF_SERVING_RUNTIME=$(abspath $(RUNTIME)/tensorflow) $(BIN)/python -m pytest \
		tests/serving/test_verify.py::test_in_another_runtime $(ARGS)

$(RUNTIME)/tensorflow: $(RUN_STAMP)
	@echo "Fetching the libraries of TensorFlow 2.20.0 (about 250 MB)."
	@$(BIN)/python -m pip --disable-pip-version-check download --quiet --no-deps --only-binary=:all: \
		--dest $(RUNTIME) tensorflow-cpu==2.20.0
	@cd $(RUNTIME) && $(abspath $(BIN))/python -m zipfile -e tensorflow_cpu-*.whl wheel
	@mkdir -p $@.part && mv $(RUNTIME)/wheel/tensorflow/libtensorflow_* $@.part/
	@rm -r $(RUNTIME)/wheel $(RUNTIME)/*.whl && mv $@.part $@

sanitize: $(TEST_STAMP)
	$(BIN)/python -m pytest -p no:xdist -m sanitize tests/layers/native/test_sanitizers.py $(ARGS)

check: $(TEST_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# A half-made environment has no stamp, so the next call makes it anew.
$(RUN_STAMP): requirements/run.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 10) <= v <= (3, 13) else "seqclf needs Python 3.10 to 3.13; $(PYTHON) is %d.%d. Try: make PYTHON=python3.12 ..." % v)'
	@echo "Creating the environment in $(VENV) (about 600 MB of packages; once)."
	@$(PYTHON) -m venv --clear $(VENV)
	$(call install,$(call packages,run))
	@SEQCLF_NATIVE=0 $(PIP) --quiet --no-deps --no-build-isolation $(AS_PATH) .
	@touch $@

# Without a C++ compiler it says so, once, and the package does without.
$(NATIVE_STAMP): setup.py $(wildcard seqclf/layers/native/src/*) $(RUN_STAMP)
	@echo "Compiling the native operations of the GRU (half a minute)."
	@$(BIN)/python setup.py --quiet build_ext --inplace
	@touch $@

$(TEST_STAMP): requirements/test.txt $(RUN_STAMP)
	@echo "Installing the test tools."
	$(call install,$(call packages,test))
	@touch $@

$(TORCH_STAMP): requirements/peers.txt $(TEST_STAMP)
	@echo "Installing PyTorch, with which the tests compare (make test TORCH=0 leaves it out)."
	$(call install,-r requirements/peers.txt)
	@touch $@

$(DOCS_STAMP): requirements/docs.txt $(TEST_STAMP)
	@$(BIN)/python -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "The documentation site needs Python 3.11 or later. Try: make docs PYTHON=python3.12")'
	@echo "Installing Sphinx, with which the documentation site is built."
	$(call install,$(call packages,docs))
	@touch $@

# Versions and hashes only: which index they come from is the machine's business.
UV := .venv-lock/bin/uv
UV_COMPILE := $(UV) pip compile --quiet --universal --python-version 3.10 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --upgrade

lock:
	@test -x $(UV) || { $(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet uv; }
	$(UV_COMPILE) pyproject.toml --extra serve --output-file requirements/run.txt
	$(UV_COMPILE) pyproject.toml --extra test --extra dev --extra notebooks --constraint requirements/run.txt \
		--output-file requirements/test.txt
	$(UV_COMPILE:3.10=3.11) pyproject.toml --extra docs --constraint requirements/test.txt \
		--output-file requirements/docs.txt
	$(UV_COMPILE) --group dist --output-file requirements/dist.txt

DIST := .venv-dist/bin
DIST_STAMP := .venv-dist/.installed

# The native operations of the wheel must run on older systems than the one that builds them: Zig brings
# the C library's symbols of each release, auditwheel checks that the wheel needs no newer ones, and names it so.
GLIBC := 2.28
ZIG := $(abspath $(DIST))/python -m ziglang c++ -target $(shell uname -m)-linux-gnu.$(GLIBC)

# The wheels are built from the source distributions, so that these are known to be complete.
dist: $(DIST_STAMP)
	rm -rf dist
	@echo "Building seqclf. Zig compiles the native operations: one to two minutes without a line."
	SEQCLF_NATIVE=1 CXX="$(ZIG)" $(DIST)/python -m build --no-isolation --outdir dist .
	PATH="$(abspath $(DIST)):$$PATH" auditwheel repair --only-plat --plat manylinux_$(subst .,_,$(GLIBC))_$(shell uname -m) \
		--wheel-dir dist dist/seqclf-*-linux_*.whl
	rm dist/seqclf-*-linux_*.whl
	$(DIST)/python -m build --no-isolation --outdir dist clients/python
	$(DIST)/twine check --strict dist/*
	$(DIST)/check-wheel-contents dist/*.whl

$(DIST_STAMP): requirements/dist.txt
	@$(PYTHON) -m venv --clear .venv-dist
	@.venv-dist/bin/python -m pip --disable-pip-version-check install --quiet $(LOCKED) -r requirements/dist.txt
	@touch $@

clean:
	rm -rf $(VENV) .venv-tf* .venv-lock .venv-dist build dist docs/notebooks clients/python/build clients/python/*.egg-info *.egg-info seqclf/layers/native/*.so .pytest_cache .mypy_cache .ruff_cache .hypothesis

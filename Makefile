# Two commands: `make demo` flies a constellation, `make test` runs every check. Both do their own set-up in .venv.
PYTHON ?= python3
VENV := .venv
SPEED ?= 30
SEED ?= 7

# Whatever the wheel is made of: a change of any of these installs anew.
SOURCES := pyproject.toml README.md LICENSE $(shell find flightos sil native -type f \
    ! -name '*.py[co]' ! -name '_fos*.so' ! -path '*/__pycache__/*' 2>/dev/null)

.PHONY: demo test clean
.DELETE_ON_ERROR:

demo: $(VENV)/installed-demo
	$(VENV)/bin/flightos run three_body --processes --speed $(SPEED) --seed $(SEED)

test: $(VENV)/installed-test
	$(VENV)/bin/python tests/check.py

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -f flightos/_fos*.so

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo 'flightos needs Python 3.11 or newer; say which with: make PYTHON=python3.12 ...' >&2; exit 2; }
	$(PYTHON) -m venv $(VENV) \
	    || { echo 'No venv module: on Debian, install python3-venv.' >&2; exit 2; }

$(VENV)/installed-demo: $(VENV)/bin/python $(SOURCES)
	$(VENV)/bin/python -m pip install --quiet --quiet --disable-pip-version-check '.[all]'
	touch $@

# The tests import the tree, not the wheel, so the C module that pip built is put beside the sources.
$(VENV)/installed-test: $(VENV)/bin/python $(SOURCES)
	$(VENV)/bin/python -m pip install --quiet --quiet --disable-pip-version-check '.[all,test]'
	rm -f flightos/_fos*.so
	cp $(VENV)/lib/python3*/site-packages/flightos/_fos*.so flightos/ \
	    || echo 'No C module was built (is python3-dev installed?): the NumPy references serve.' >&2
	touch $@ $(VENV)/installed-demo

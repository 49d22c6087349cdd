# Two environments, made on first use: .venv holds the board's install, .venv-dev the workstation's.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
RUNTIME = .venv
DEV = .venv-dev
NO_VENV = "$(PYTHON) cannot make a virtual environment; on Debian: sudo apt install python3-venv"

.PHONY: demo test check suite bench release test-arm64 test-tflite-runtime test-pythons clean

demo: $(RUNTIME)/installed ## the expression in a real portrait, and an annotated copy in demo/
	$(RUNTIME)/bin/fer-edge predict edge_runtime/demo/astronaut.jpg --annotate demo
	@echo "annotated picture: demo/astronaut.jpg"

test: check suite ## everything that must hold before a change lands

check: $(DEV)/installed ## style, types, packaging
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/ruff check .
	$(DEV)/bin/mypy
	rm -rf dist && $(DEV)/bin/python -m build --no-isolation --outdir dist . > /dev/null
	$(DEV)/bin/twine check --strict dist/*

suite: $(DEV)/installed ## the tests
	$(DEV)/bin/python -m pytest -n auto --dist worksteal

bench: $(RUNTIME)/installed ## time of each stage on this machine, and what the pipeline adds to its parts
	$(RUNTIME)/bin/fer-edge bench
	$(RUNTIME)/bin/python -m benchmarks.overhead

release: $(DEV)/installed ## a bundle by a release file: make release FILE=release.toml
	$(DEV)/bin/python -m release $(FILE)

test-arm64: $(DEV)/installed ## the wheel in an emulated aarch64 Debian, as root: int8 gives the same bits (docs/boards.md)
	$(DEV)/bin/python -m boards arm64

test-tflite-runtime: $(DEV)/installed ## the wheel with the runtime of old boards: what loads, which bits differ and why
	$(DEV)/bin/python -m boards tflite-runtime

test-pythons: $(DEV)/installed ## the wheel and the runtime's tests on each Python 3.11, 3.12 and 3.13 of this machine
	$(DEV)/bin/python -m boards pythons

clean:
	rm -rf $(RUNTIME) $(DEV) dist build demo .pytest_cache .mypy_cache .ruff_cache

$(RUNTIME)/installed: pyproject.toml
	$(PYTHON) -m venv $(RUNTIME) || { echo $(NO_VENV); exit 2; }
	$(RUNTIME)/bin/pip install --quiet --disable-pip-version-check -e .
	touch $@

$(DEV)/installed: pyproject.toml
	$(PYTHON) -m venv $(DEV) || { echo $(NO_VENV); exit 2; }
	$(DEV)/bin/pip install --quiet --disable-pip-version-check -e ".[train,convert,test]"
	touch $@

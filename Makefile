# offermatch: two commands do everything, and install what is missing.
#
#   make run    match 20,000 tasks with 20,000 offers from Python and from Rust, and show the result
#   make test   format, lints, types, documentation and every test
#
# They can be run again at any time: what is up to date is not built twice. Everything that is built or installed by
# them lies in target/, but for Debian packages where a compiler is missing.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Several targets call apt or cargo, and those wait for one another.
.NOTPARALLEL:

VENV := target/venv
BIN := $(VENV)/bin
EXTRAS := 'python-host[all,dev,docs,test]'
HOST := target/release/offermatch-host
PACKAGED := python-host/src/offermatch/matcher.wasm python-host/src/offermatch/policies.tar.xz

# Named together in every call, examples included, so that what they depend on is built once: its features are those that all of them ask for.
PACKAGES := --package offermatch-core --package offermatch --package offermatch-host --package offermatch-stage --package offermatch-fuzz

# What runs on a real API server where there is one.
KUBERNETES := tests/scheduler/cluster/test_kubernetes.py tests/scheduler/test_kubernetes_scheduler.py

# A process more than the two cores of a small machine: tests wait, too.
SHARED := --numprocesses 3 --dist worksteal

GUEST_SOURCES := Cargo.toml Cargo.lock guest/build.sh $(shell find guest wit -name '*.rs' -o -name 'Cargo.toml' -o -name '*.wit')

.PHONY: help run test laws test-kubernetes test-killed test-languages stories second-reading bench-before bench-kubernetes fetched component crates policies hostile foreign host python postgresql chromium podman registry lint docs test-rust test-python test-both wheel bare supply-chain bench languages certified clean

help: ## list what can be made
	@echo "make run      match a 20,000 x 20,000 cycle from Python and from Rust, and compare the answers"
	@echo "make test     format, lints, types, documentation and every test"
	@echo "make test-kubernetes  what is said of Kubernetes, on a real API server, which is built from source once"
	@echo "make test-killed  schedulers killed at 50 points each on container engines and on Kubernetes"
	@echo "make chaos    schedulers and agents killed, stopped, their clocks stepped and disks filled, while 1,000 tasks run"
	@echo "make laws     the index beside the plain loop on 20,000 random stories of each kind; hours"
	@echo "make endurance  10,000 hostile calls or more and 2,000 broken components in either host, and the peak of its memory"
	@echo "make bare     the README's commands on Debian fresh from debootstrap, and on other Pythons"
	@echo "make certified  the matchers in Python, JavaScript and C, asked 20,000 generated cases by both programs"
	@echo "make test-languages  a new project in each language builds, tests and certifies itself; minutes each"
	@echo "make languages  size, cold start and time of the matchers in other languages, for docs/other-languages.md"
	@echo "make crates   the crates as crates.io would get them, and a program elsewhere that builds with them; minutes"
	@echo "make supply-chain  licences, sources and versions of every crate, and bills of materials in target/sbom; minutes the first time"
	@echo "make stories  100,000 random stories with every rule mixed, in which core, component and Python reference agree"
	@echo "make second-reading  100,000 random stories and plans in which the core agrees with a second reading of docs/semantics.md"
	@echo "make bench-kubernetes  30,000 pods on 5,000 nodes, on that server and on the tests' double"
	@echo "make bench    measure the matcher beside everything that might be used instead; ends with one table of all figures asked for"
	@echo "make bench-before  this tree beside an earlier commit of it, measured in turns"
	@echo "make component, policies, foreign, host, python, wheel, lint, docs, test-rust, test-python, test-both, clean: parts of these"

run: host python ## the main job, on real-sized input
	@$(BIN)/python -m offermatch demo --rust-host $(HOST)

# The host is built and checked while the rest is fetched.
test: policies python ## everything
	@$(MAKE) --no-print-directory fetched & fetched=$$!; \
		$(MAKE) --no-print-directory host lint docs || { wait $$fetched; exit 1; }; wait $$fetched
	@$(MAKE) --no-print-directory test-rust test-python test-both

# ---- what is built -------------------------------------------------------------------------------------------------

component: target/matcher.wasm ## the matcher, as a WebAssembly component

target/matcher.wasm: $(GUEST_SOURCES)
	@guest/build.sh
	@touch $@

hostile: target/hostile/honest.wasm ## the misbehaving components, and the one of the contract before, that the hosts are tested with

target/hostile/honest.wasm: $(GUEST_SOURCES)
	@guest/build.sh hostile
	@touch $@

foreign: target/foreign/python.wasm target/foreign/javascript.wasm target/foreign/c.wasm ## matchers written in Python, in JavaScript and in C

target/foreign/%.wasm: guest/%/* wit/matcher.wit
	@guest/$*/build.sh
	@touch $@

policies: target/policies.tar.xz ## the matchers of every policy that is shipped

target/policies.tar.xz: $(GUEST_SOURCES) target/matcher.wasm
	@guest/build.sh policies
	@touch $@

host: policies ## the Rust library and its programs, offermatch-host and offermatch-stage
	@cargo build --locked --release --quiet $(PACKAGES) --bins --examples

python: $(VENV)/installed $(PACKAGED) ## the Python host, in a virtual environment

$(VENV)/installed: python-host/pyproject.toml | $(PACKAGED)
	@echo "make: installing the Python package and what its tests need into $(VENV)" >&2
	@python-host/venv.sh $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --no-cache --python $(BIN)/python --editable $(EXTRAS) || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable $(EXTRAS)
	@touch $@

python-host/src/offermatch/%: target/%
	@cmp --silent $< $@ || cp $< $@
	@touch $@

fetched: python foreign postgresql chromium podman registry ## all that is fetched and installed for the tests

crates: python policies ## the crates offermatch-core, offermatch-kit and offermatch as crates.io would get them, and a program elsewhere that builds with them
	rm -rf host/library/policies && cp -r target/policies host/library/policies
	cargo package --locked --quiet --allow-dirty --no-verify --package offermatch-core --package offermatch-kit --package offermatch
	$(BIN)/python -m pytest tests/crates.py

wheel: target/wheel-venv/installed component policies ## the wheel and the sdist, in target/wheel, with their digests
	@rm -rf target/wheel
	@target/wheel-venv/bin/python -m build --no-isolation --outdir target/wheel python-host > target/wheel.log 2>&1 || { cat target/wheel.log >&2; exit 1; }
	@cd target/wheel && sha256sum *

target/wheel-venv/installed:
	@python-host/venv.sh target/wheel-venv
	@target/wheel-venv/bin/python -m pip install --quiet --disable-pip-version-check build hatchling
	@touch $@

SCANNERS := target/tools/bin/cargo-deny target/tools/bin/cargo-cyclonedx

supply-chain: $(SCANNERS) python wheel ## licences, sources and versions of every crate, and what is in crate, wheel and component, in target/sbom
	target/tools/bin/cargo-deny --all-features check licenses bans sources
	rm -rf target/sbom && mkdir -p target/sbom
	for crate in host/library guest/matcher; do \
	    target/tools/bin/cargo-cyclonedx cyclonedx --quiet --manifest-path $$crate/Cargo.toml --format json --override-filename sbom; done
	mv host/library/sbom.json target/sbom/crate.cdx.json && mv guest/matcher/sbom.json target/sbom/component.cdx.json
	find guest host tests -name sbom.json -delete
	target/wheel-venv/bin/python -m pip install --quiet --disable-pip-version-check cyclonedx-bom
	rm -rf target/sbom-venv && target/wheel-venv/bin/python -m venv --without-pip target/sbom-venv
	target/wheel-venv/bin/python -m pip --python target/sbom-venv install --quiet --disable-pip-version-check target/wheel/*.whl
	target/wheel-venv/bin/cyclonedx-py environment --mc-type library --pyproject python-host/pyproject.toml --output-file target/sbom/wheel.cdx.json target/sbom-venv
	$(BIN)/python -m pytest -q tests/sbom.py
	@ls -la target/sbom

$(SCANNERS): target/tools/bin/cargo-%:
	@echo "make: installing cargo-$* (some minutes)" >&2
	@cargo install --locked --quiet --root target/tools cargo-$*

# ---- what is checked -----------------------------------------------------------------------------------------------

lint: component python ## format, lints and types; a warning is an error
	cargo fmt --all --check
	cargo clippy --locked --release --workspace --all-targets --quiet -- --deny warnings
	$(BIN)/ruff format --check python-host tests docs guest
	$(BIN)/ruff check python-host tests docs guest
	cd python-host && ../$(BIN)/mypy

docs: host python ## the book, with the reference of the contract and both APIs; a broken link is an error
	@# All members, as in lint: the libraries that they need are then checked once for both.
	RUSTDOCFLAGS="--deny warnings" cargo doc --locked --release --no-deps --quiet --workspace
	target/release/examples/contract_reference wit full-matcher > target/contract-reference.md
	$(BIN)/mkdocs build --quiet
	@echo "make: the book is target/book/index.html" >&2

test-rust: component policies hostile ## the core, the Rust library and its programs
	cargo test --locked --release $(PACKAGES)
	cargo test --locked --release --package offermatch-kit --package offermatch-policies
	cargo test --locked --release --package offermatch-hostile --test right # a second reading of docs/semantics.md

laws: policies ## the index beside the plain loop on 20,000 random stories of each kind; hours
	PROPTEST_CASES=20000 cargo test --locked --release $(PACKAGES) --test laws

postgresql: ## Debian's PostgreSQL, for the tests of the task store
	@python-host/postgresql.sh

chromium: ## Debian's Chromium, for the tests of pages
	@python-host/chromium.sh

podman: ## Debian's Podman, for the tests of container engines
	@python-host/podman.sh

registry: ## Debian's registry and minisign, for the tests of where matchers come from
	@python-host/registry.sh

test-python: python hostile postgresql chromium podman registry ## the Python host
	cd python-host && ../$(BIN)/python -m pytest $(SHARED)

test-kubernetes: python ## what is said of Kubernetes, on a real API server, which is built once in about ten minutes
	@python-host/kubernetes.sh build target/kubernetes
	@kubeconfig=$$(python-host/kubernetes.sh start target/kubernetes) && trap 'python-host/kubernetes.sh stop target/kubernetes' EXIT && \
		(cd python-host && OFFERMATCH_KUBECONFIG=$$kubeconfig ../$(BIN)/python -m pytest -rs -k kubernetes tests/scheduler/cluster/test_clusters.py $(KUBERNETES))

test-killed: python podman ## schedulers killed at 50 points each on real container engines and on the double of Kubernetes
	cd python-host && OFFERMATCH_CLUSTER_LIVES=50 ../$(BIN)/python -m pytest -rs tests/scheduler/test_killed.py

chaos: python postgresql ## 1,000 tasks on SQLite and on PostgreSQL while everything is killed, stopped, confused and filled; some minutes each
	cd python-host && for store in sqlite postgresql; do ../$(BIN)/python tests/support/chaos.py $$store 1000; done

endurance: python hostile foreign ## 10,000 hostile calls and 2,000 broken components in either host, and the peak of its memory beside twice the limit
	cargo test --locked --release $(PACKAGES) --test library endurance -- --ignored --nocapture
	cd python-host && ../$(BIN)/python tests/support/endurance.py

STORIES ?= 100000
SEED ?= 1

stories: host python ## the Rust core, the component and the Python reference, told the same random stories; an hour or so on two cores
	$(BIN)/python tests/stories.py --stories $(STORIES) --seed $(SEED)

second-reading: ## 100,000 random stories and plans in which the core agrees with a second reading of docs/semantics.md
	PROPTEST_CASES=$(STORIES) cargo test --locked --release --package offermatch-hostile --test right -- --nocapture stories plans

test-both: host wheel hostile policies foreign ## both hosts side by side, and the wheel in a fresh environment
	$(BIN)/python -m pytest tests -rs $(SHARED)

test-languages: host python foreign ## what takes an interpreter's matcher minutes: new projects in each language, and two builds of each guest
	OFFERMATCH_LANGUAGES=all $(BIN)/python -m pytest -rs $(SHARED) tests/test_new_languages.py tests/test_foreign.py tests/test_misbehaving_guests.py

bare: wheel ## the README's commands where nothing is installed: Debian by debootstrap, with Python 3.11, 3.13 and 3.14; an hour, as root
	python3 tests/bare.py --free-threaded trixie $(foreach python,$(wildcard $(HOME)/.pyenv/versions/3.1[02].*/bin/python3),--python $(python))

CASES ?= 20000

certified: host python foreign ## matchers in other languages, by 20,000 generated cases in both programs, and two builds of each; half an hour on a quiet machine
	for language in c python javascript; do component=target/foreign/$$language; \
		skip=guest/templates/$$language/skip.txt; test -e $$skip || skip=guest/templates/project/skip.txt; \
		for program in $(HOST) "$(BIN)/python -m offermatch"; do \
			$$program conformance --generated $(CASES) --limits guest/templates/project/limits.json --skip $$skip \
				--against $$component-again.wasm $$component.wasm; done; done

languages: python foreign ## size, cold start and time of the matchers in other languages
	@$(BIN)/python -m offermatch bench languages target/foreign/{c,python,javascript}.wasm

FIGURES := target/bench
# Cargo runs a benchmark in the folder of its package.
CORE_BENCH := cargo bench --locked --quiet $(PACKAGES) --bench
TARGETS := $(BIN)/python python-host/benches/targets.py

bench: host python ## the matcher beside everything that might be used instead, and the table of what is asked for; six minutes or so
	@mkdir -p $(FIGURES)
	@$(HOST) bench all --json $(FIGURES)/rust.json
	@$(BIN)/python -m offermatch bench draw $(FIGURES)/rust.json --svg $(FIGURES)
	@$(BIN)/python -m offermatch bench talk --rust-host $(HOST) --json $(FIGURES)/talk.json
	@$(BIN)/python -m offermatch bench partitions --workers 0 --json > $(FIGURES)/partitions.json
	@$(BIN)/python -m offermatch bench memory --json > $(FIGURES)/memory.json
	@$(BIN)/python python-host/benches/before.py --alone --only small --json $(FIGURES)/calls.json
	@$(CORE_BENCH) policies -- --json $(CURDIR)/$(FIGURES)/policies.json
	@$(CORE_BENCH) rules -- --json $(CURDIR)/$(FIGURES)/rules.json
	@$(CORE_BENCH) rules -- preempt --json $(CURDIR)/$(FIGURES)/preempt.json
	@$(TARGETS)

bench-before: python postgresql ## this tree beside an earlier commit, built in a worktree and measured in turns; and the table
	@$(BIN)/python python-host/benches/before.py --json $(FIGURES)/before.json
	@if command -v valgrind > /dev/null; then guest/core/benches/instructions.sh --json $(FIGURES)/instructions.json; fi
	@$(TARGETS)
	@$(BIN)/python python-host/benches/importing.py

bench-kubernetes: python ## the Kubernetes scheduler, on a real API server and on the double of the tests
	@python-host/kubernetes.sh build target/kubernetes
	@kubeconfig=$$(python-host/kubernetes.sh start target/kubernetes) && trap 'python-host/kubernetes.sh stop target/kubernetes' EXIT && \
		$(BIN)/python -m offermatch bench kubernetes --kubeconfig "$$kubeconfig"
	@$(BIN)/python python-host/tests/support/apiserver.py target/kubernetes/double $(BIN)/python -m offermatch bench kubernetes --kubeconfig target/kubernetes/double

clean: ## remove what was built
	rm -rf target $(PACKAGED) host/library/policies

# The front door. `make help` lists the verbs; each delegates to a playbook, to cargo or to pytest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

INVENTORY ?= inventory/local
LIMIT ?=
BUNDLE ?=
FLAVOR ?=
HOSTS ?= 3
SUBJECT ?= all
SECONDS ?= 60
FAIL_ON ?= high
DATA ?= false
EXTRA ?=

export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# One target folder for all that compiles Rust here.
export CARGO_TARGET_DIR ?= $(CURDIR)/rust/target
export PYTHONDONTWRITEBYTECODE := 1
# An extension takes the interpreter's symbols from whoever loads it.
export PYO3_BUILD_EXTENSION_MODULE := 1

PLAYBOOK = ansible-playbook -i $(INVENTORY) $(if $(LIMIT),--limit '$(LIMIT)') $(if $(FLAVOR),-e deploy_flavor=$(FLAVOR)) $(EXTRA)
NATIVE_MODULES = agent_core_utils agent_container_orchestrator agent_security_tools agent_performance_monitor

##@ The main job
.PHONY: deploy
deploy: setup ## build, deploy, verify, and print where to look (INVENTORY= LIMIT= FLAVOR=python BUNDLE=)
ifeq ($(BUNDLE),)
	@$(PLAYBOOK) playbooks/site.yml
else
	@$(PLAYBOOK) playbooks/from_bundle.yml -e image_ship_bundle='$(abspath $(BUNDLE))' -e deploy_release_dir='$(CURDIR)/build/bundle'
endif

.PHONY: verify
verify: setup ## ask the services, the edge and Prometheus whether what was deployed answers
	@$(PLAYBOOK) playbooks/verify.yml

.PHONY: status
status: setup ## what runs where, and what has drifted
	@$(PLAYBOOK) playbooks/status.yml

.PHONY: scan
scan: setup ## audit every host, scan its neighbors, make one report (FAIL_ON=critical|high|medium|low|none)
	@$(PLAYBOOK) playbooks/scan.yml -e fleet_scan_fail_on=$(FAIL_ON)

.PHONY: rollback
rollback: setup ## back to the last good release (FLAVOR=python: to the Python-only image)
	@$(PLAYBOOK) playbooks/rollback.yml

.PHONY: uninstall
uninstall: setup ## take the appliance off; keeps data (DATA=true removes it)
	@$(PLAYBOOK) playbooks/uninstall.yml -e fleet_uninstall_data=$(DATA)

##@ Building
.PHONY: setup
setup: ## the virtual environment with pinned tools, and missing Debian packages
	@playbooks/bootstrap.sh deploy

.PHONY: setup-test
setup-test: ## what the tests need on top
	@playbooks/bootstrap.sh test

.PHONY: setup-bench
setup-bench: setup-test ## the peers that the benchmarks measure
	@playbooks/bootstrap.sh bench

.PHONY: images
images: setup ## build the images into build/release
	@$(PLAYBOOK) playbooks/build.yml

.PHONY: bundle
bundle: setup ## build, then pack one archive that deploys without a network (make deploy BUNDLE=…)
	@$(PLAYBOOK) playbooks/bundle.yml

.PHONY: lib
lib: ## the four extensions and the three daemons, optimized for tests (build/lib, rust/target/quick)
	@mkdir -p build/lib
	@cargo build --manifest-path rust/Cargo.toml --profile quick $(foreach m,$(NATIVE_MODULES),-p $(subst _,-,$(m))-py) -p monitor-agent -p security-agent -p orchestrator --quiet
	@for module in $(NATIVE_MODULES); do cmp -s $(CARGO_TARGET_DIR)/quick/lib$$module.so build/lib/$$module.abi3.so || install -m 644 $(CARGO_TARGET_DIR)/quick/lib$$module.so build/lib/$$module.abi3.so; done

.PHONY: wheels
wheels: setup-test ## wheels into build/wheels: agentcore (pure) and one abi3 wheel a component
	@pip wheel -q --no-deps --no-build-isolation -w build/wheels python
	@for module in $(NATIVE_MODULES); do maturin build --release --quiet -o build/wheels -m rust/bindings/$${module//_/-}/Cargo.toml; done
	@ls -l build/wheels

##@ A lab of several hosts on this machine
.PHONY: lab
lab: setup ## make HOSTS=3 hosts as containers; then: make deploy INVENTORY=inventory/lab
	@ansible-playbook -i localhost, playbooks/lab.yml -e lab_host_count=$(HOSTS) $(EXTRA)

.PHONY: lab-down
lab-down: setup ## remove them
	@ansible-playbook -i localhost, playbooks/lab_down.yml $(EXTRA)

##@ Proof
.PHONY: check
check: setup-test ## the fast path: format, lint, types, unit tests of both languages
	@python .ci/suites.py check

.PHONY: test
test: setup-test ## everything CI runs; ends with the counts
	@python .ci/suites.py test

.PHONY: stories
stories: setup-test ## the molecule scenarios alone, on lab hosts: rollout, broken native, rollback, Python-only, scan
	@python .ci/suites.py stories

.PHONY: bench
bench: setup-bench images ## ours beside the peers, in one run (SUBJECT=cache|text|queue|monitor|scan)
	@python .ci/suites.py bench $(SUBJECT)

.PHONY: fuzz
fuzz: setup-test ## fuzz what reads bytes from outside, SECONDS=60 a target
	@.ci/fuzz.sh $(SECONDS)

.PHONY: docs
docs: ## API documentation of the Rust crates, warnings are errors
	@RUSTDOCFLAGS='-D warnings' cargo doc --manifest-path rust/Cargo.toml --workspace --no-deps --quiet

.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

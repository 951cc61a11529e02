# The commands of everyday work; CMake and the scripts in tools/ do it. `make` lists them.

BUILD := build/release
PREFIX ?= /usr/local
CONFIGURE := @tools/install-deps.sh && cmake --preset release --log-level=WARNING >/dev/null

.PHONY: help demo demo-recovery demo-cluster test bench install format lint check clean
help:
	@echo 'make demo      count the words in the text files of this machine; INPUT=path takes a file or a folder'
	@echo 'make demo-recovery   a job is killed, upgraded and rescaled, and its counts stay exact'
	@echo 'make demo-cluster    a TaskManager and the JobManager of a cluster are killed, and the job goes on'
	@echo 'make test      build everything and run all tests'
	@echo 'make bench     measure against hand-written loops; CASES="wordcount keyed-sum" picks some'
	@echo 'make install   libraries, headers and CMake package; PREFIX=/usr/local'
	@echo 'make format    format all C++'
	@echo 'make lint      clang-tidy over all sources'
	@echo 'make check     all that a commit has to pass (.ci/run)'
	@echo 'make clean     delete all builds, but keep the dependencies'

demo:
	$(CONFIGURE)
	@cmake --build $(BUILD) --target wordcount
	@$(BUILD)/examples/wordcount $(if $(INPUT),--input '$(INPUT)')

demo-recovery:
	$(CONFIGURE)
	@cmake --build $(BUILD) --target orders_v1 orders_v2
	@tools/demo_recovery.sh $(BUILD)

demo-cluster:
	$(CONFIGURE)
	@cmake --build $(BUILD) --target flott_app_flott orders_v1
	@tools/demo_cluster.sh $(BUILD)

test:
	@tools/install-deps.sh --tests
	$(CONFIGURE)
	@cmake --build $(BUILD)
	@python3 tools/run_tests.py --build $(BUILD)

bench:
	$(CONFIGURE)
	@cmake --build $(BUILD) --target flott_bench
	@$(BUILD)/bench/flott_bench $(CASES)

install:
	$(CONFIGURE)
	@cmake --build $(BUILD)
	@cmake --install $(BUILD) --prefix '$(PREFIX)'

format:
	@tools/install-deps.sh --checks
	@tools/format.sh

lint:
	@tools/install-deps.sh --checks
	@tools/lint.py

check:
	@.ci/run

clean:
	@find build -mindepth 1 -maxdepth 1 ! -name deps -exec rm -rf {} +

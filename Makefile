# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# Thin: every target is a script under tools/. Variables given on the command line (make demo RANKS=8 MPI=0) reach it
# through the environment.

.DEFAULT_GOAL := help
.PHONY: help demo test lint soak bench format clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

demo: ## build and run the push all-to-all on rank processes (RANKS=n, MPI=0 without MPI beside it)
	@tools/demo.sh

test: ## build and run the whole suite, also under sanitizers (PRESETS="dev asan tsan", MPI=0)
	@tools/test.sh

lint: ## hooks on all files, clang-tidy on changed ones (CI=true: on all)
	@tools/lint/run.sh

soak: ## the scenes at full counts
	@tools/soak.sh

bench: ## costs of the instructions against the bare machine
	@tools/bench.sh

format: ## rewrite the layout of C++ and CMake files
	@tools/format.sh

clean: ## remove what was built
	rm -rf build .cache

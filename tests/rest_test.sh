#!/usr/bin/env bash
# REST: every document against its description, and requests that nobody should send. FLOTT_BUILD is the build folder;
# run_tests.py sets it.
set -euo pipefail
PYTHONPATH=build/deps/python:tests/shared exec python3 tests/rest/rest.py "$FLOTT_BUILD"

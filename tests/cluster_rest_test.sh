#!/usr/bin/env bash
# See tests/cluster/rest.py. FLOTT_BUILD is the build folder; run_tests.py sets it.
set -euo pipefail
PYTHONPATH=build/deps/python:tests/shared exec python3 tests/cluster/rest.py

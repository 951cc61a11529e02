#!/usr/bin/env bash
# See tests/web/page.py. FLOTT_BUILD is the build folder; run_tests.py sets it.
set -euo pipefail
PYTHONPATH=build/deps/python:tests/shared exec python3 tests/web/page.py

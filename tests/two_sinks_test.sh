#!/usr/bin/env bash
# Files and rows of PostgreSQL that one job writes, killed again and again. FLOTT_BUILD is the build folder; run_tests.py
# sets it. KILLS is how often; 5 by default.
set -euo pipefail
exec python3 tests/two_sinks/two_sinks.py "${KILLS:-5}"

#!/usr/bin/env bash
# What programs tell Prometheus. FLOTT_BUILD is the build folder; run_tests.py sets it.
set -euo pipefail
PYTHONPATH=tests/shared exec python3 tests/metrics/metrics.py "$FLOTT_BUILD"

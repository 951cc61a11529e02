#!/usr/bin/env bash
# What programs tell Prometheus. FLOTT_BUILD is the build folder; run_tests.py sets it.
set -euo pipefail
exec python3 "$(dirname "$0")/metrics/metrics.py" "$FLOTT_BUILD"

#!/usr/bin/env bash
# A job in several processes, of which some are killed and stopped. FLOTT_BUILD is the build folder; run_tests.py sets it.
set -euo pipefail
exec python3 tests/cluster/cluster.py

#!/usr/bin/env bash
# See tests/cluster/local_state.py. FLOTT_BUILD is the build folder; run_tests.py sets it.
set -euo pipefail
exec python3 tests/cluster/local_state.py

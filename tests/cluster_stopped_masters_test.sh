#!/usr/bin/env bash
# See tests/cluster/stops.py. FLOTT_BUILD is the build folder; run_tests.py sets it.
set -euo pipefail
exec python3 tests/cluster/stops.py a_master the_jobmanager

#!/usr/bin/env bash
# See tests/cluster/kills.py. FLOTT_BUILD is the build folder; run_tests.py sets it.
set -euo pipefail
exec python3 tests/cluster/kills.py a_master the_jobmanager the_jobmanager_and_taskmanagers

#!/usr/bin/env bash
# See tests/cluster/kills.py. FLOTT_BUILD is the build folder; run_tests.py sets it.
set -euo pipefail
exec python3 tests/cluster/kills.py a_worker a_taskmanager a_taskmanager_without_another

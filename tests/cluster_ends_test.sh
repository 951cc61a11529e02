#!/usr/bin/env bash
# See tests/cluster/kills.py. FLOTT_BUILD is the build folder; run_tests.py sets it.
set -euo pipefail
exec python3 tests/cluster/kills.py a_master_at_the_end the_jobmanager_of_a_client

#!/usr/bin/env bash
# State larger than the memory that its job may have, with checkpoints and a kill -9 in between. FLOTT_BUILD is the build
# folder; run_tests.py sets it. STATE_MB and LIMIT_MB are how much; 360 and 120 by default. Of the limit some 60 MB are
# what a job has beside its state. On demand: STATE_MB=20000 LIMIT_MB=2000.
set -euo pipefail
exec python3 tests/large_state/large_state.py "${STATE_MB:-360}" "${LIMIT_MB:-120}"

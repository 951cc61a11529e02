#!/usr/bin/env bash
# State larger than the memory that its job may have, with checkpoints and a kill -9 in between. FLOTT_BUILD is the build
# folder; run_tests.py sets it. STATE_MB and LIMIT_MB are how much; 400 and 160 by default. Of the limit about 50 MB are
# threads' stacks and what a job has beside its state. On demand: STATE_MB=20000 LIMIT_MB=2000.
set -euo pipefail
exec python3 tests/large_state/large_state.py "${STATE_MB:-400}" "${LIMIT_MB:-160}"

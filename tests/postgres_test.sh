#!/usr/bin/env bash
# The PostgreSQL sink against a real server. FLOTT_BUILD is the build folder; run_tests.py sets it.
# FLOTT_POSTGRES_ROUNDS is how often the job is killed in each mode; 5 by default.
set -euo pipefail
exec python3 tests/postgres/sink.py "${FLOTT_POSTGRES_ROUNDS:-5}"

#!/usr/bin/env bash
# The demonstration of recovery with small numbers. FLOTT_BUILD is the build folder; run_tests.py sets it.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/demo_recovery.sh "$FLOTT_BUILD" 12000 1500 1

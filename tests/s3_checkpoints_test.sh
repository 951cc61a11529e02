#!/usr/bin/env bash
# Checkpoints in a real S3 server. FLOTT_BUILD is the build folder; run_tests.py sets it.
set -euo pipefail
PYTHONPATH=build/deps/python exec python3 tests/s3/checkpoints.py

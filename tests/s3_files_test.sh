#!/usr/bin/env bash
# Files in a real S3 server, whose job is killed again and again. FLOTT_BUILD is the build folder; run_tests.py sets it.
set -euo pipefail
PYTHONPATH=build/deps/python exec python3 tests/s3/files.py

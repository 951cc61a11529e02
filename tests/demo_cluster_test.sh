#!/usr/bin/env bash
# `make demo-cluster` with small numbers: what is killed, and that every order is counted once.
set -euo pipefail
exec tools/demo_cluster.sh "$FLOTT_BUILD" 40000 8000

#!/usr/bin/env bash
# Formats all C++ of the project as .clang-format says; with --check it only says which files are not formatted.
set -euo pipefail
cd "$(dirname "$0")/.."

mode=(-i)
case "${1:-}" in
  '') ;;
  --check) mode=(--dry-run -Werror) ;;
  *) echo "format.sh: unknown argument '$1': there is only --check" >&2; exit 1 ;;
esac
git ls-files -z --cached --others --exclude-standard '*.h' '*.cc' |
  xargs -0 -r -n 20 -P "$(nproc)" clang-format-14 "${mode[@]}"

#!/usr/bin/env bash
# Puts on this machine what Flott is built from: packages of Debian 12, and Apache Arrow out of the pinned pyarrow wheel.
#
#   tools/install-deps.sh            what building, testing and the demo need
#   tools/install-deps.sh --tests    also the servers of the tests: PostgreSQL, and S3 from PyPI into build/deps/python
#   tools/install-deps.sh --checks   all that, and what format, lint and instruction counts need
#   tools/install-deps.sh --flink    what --tests gives, and a Java and Apache Flink (329 MB) into build/deps/flink, whose
#                                    command line tests/flink_cli_test.sh points at Flott
#
# What is there already, from Debian or from elsewhere, is not asked for again; when all is there, this takes a moment
# and changes nothing. Only installing packages needs root, or sudo.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

wheel_dir=build/deps/pyarrow
wheel_pin=tools/arrow-wheel.txt
wheel_file=pyarrow-26.0.1-cp311-cp311-manylinux_2_28_x86_64.whl
wheel_libraries='arrow|arrow_compute|arrow_acero|arrow_s3|parquet'
flink_dir=build/deps/flink
flink_pin=tools/flink-wheel.txt
flink_file=apache_flink_libraries-2.3.0-py2.py3-none-any.whl
python_pin=tools/test-requirements.txt
python_dir=build/deps/python

say() { printf 'install-deps: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Prints the packages whose program is not on the PATH.
packages_of_missing_programs() {
  local package program
  while read -r package program; do
    command -v "$program" >/dev/null || echo "$package"
  done
}

# Prints the packages whose header the compiler does not find. Reads "package header" lines.
packages_of_missing_headers() {
  local package header
  while read -r package header; do
    printf '#if !__has_include(<%s>)\n%s\n#endif\n' "$header" "$package"
  done | g++ -std=c++20 -E -P -x c++ -
}

missing_packages() {
  packages_of_missing_programs <<'END'
g++ g++
cmake cmake
ninja-build ninja
ccache ccache
mold mold
python3 python3
END
  if [ "$tests" = yes ] && ! postgres_is_there; then echo postgresql; fi
  if [ "$flink" = yes ]; then
    packages_of_missing_programs <<'END'
openjdk-17-jre-headless java
END
  fi
  if [ "$checks" = yes ]; then
    packages_of_missing_programs <<'END'
clang-format-14 clang-format-14
clang-tidy-14 clang-tidy-14
valgrind valgrind
libc6-dbg valgrind
END
  fi
  # Without a compiler nothing can be looked for: a bare machine needs all of them.
  local headers='libboost1.81-dev boost/unordered/unordered_flat_map.hpp
libxxhash-dev xxhash.h
libspdlog-dev spdlog/spdlog.h
libfmt-dev fmt/core.h
libgtest-dev gtest/gtest.h
libgmock-dev gmock/gmock.h
nlohmann-json3-dev nlohmann/json.hpp
libyaml-cpp-dev yaml-cpp/yaml.h
libabsl-dev absl/container/flat_hash_map.h
zlib1g-dev zlib.h
librocksdb-dev rocksdb/db.h
libcpp-httplib-dev httplib.h
libssl-dev openssl/ssl.h
libzstd-dev zstd.h
liblz4-dev lz4.h
libpq-dev postgresql/libpq-fe.h'
  if command -v g++ >/dev/null; then
    packages_of_missing_headers <<<"$headers"
  else
    awk '{print $1}' <<<"$headers"
  fi
  if { ! arrow_is_there && [ ! -f "build/deps/$wheel_file" ] ||
       ! flink_is_there && [ ! -f "build/deps/$flink_file" ] || ! test_python_is_there; } && ! python3 -m pip --version >/dev/null 2>&1; then
    echo python3-pip
  fi
}

install_packages() {
  local sudo=()
  if ! command -v apt-get >/dev/null; then
    die "this is not a Debian; please install what these Debian packages hold, then run again: $*"
  fi
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "packages are missing and there is no sudo; as root: apt-get install $*"
    sudo=(sudo)
  fi
  say "installing $*"
  "${sudo[@]}" apt-get update -qq || say "the package lists could not be updated; trying with those that are here"
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 ||
    die "apt-get failed, see above. Without a network, install these another way and run again: $*"
}

# Debian keeps the server's programs off the PATH.
postgres_is_there() {
  command -v psql >/dev/null && { command -v postgres || ls /usr/lib/postgresql/*/bin/postgres; } >/dev/null 2>&1
}

# A system Arrow of version 15 or newer, or the wheel of the pinned version unpacked.
arrow_is_there() {
  { cmp -s "$wheel_pin" "$wheel_dir/wheel.txt" && ls "$wheel_dir"/libarrow_s3.so.* >/dev/null 2>&1; } ||
    system_arrow_is_there
}

system_arrow_is_there() {
  command -v g++ >/dev/null && g++ -std=c++20 -fsyntax-only -x c++ - 2>/dev/null <<'END'
#include <arrow/util/config.h>
#include <parquet/parquet_version.h>
static_assert(ARROW_VERSION_MAJOR >= 15);
END
}

# The same file everywhere, whatever Python this machine has; only its C++ part is unpacked.
install_arrow() {
  [ "$(uname -m)" = x86_64 ] ||
    die "the pinned Arrow wheel is for x86_64 and this is $(uname -m): install libarrow-dev and libparquet-dev, 15 or newer"
  mkdir -p build/deps
  if [ ! -f "build/deps/$wheel_file" ]; then
    say "fetching $(grep -v '^#' "$wheel_pin" | cut -d' ' -f1)"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
      --python-version 311 --implementation cp --abi cp311 --platform manylinux_2_28_x86_64 \
      --dest build/deps -r "$wheel_pin" >&2 ||
      die "pip could not fetch it, see above. Without a network, put $wheel_file into build/deps/ and run again"
  fi
  grep -q "sha256:$(sha256sum "build/deps/$wheel_file" | cut -d' ' -f1)" "$wheel_pin" ||
    die "build/deps/$wheel_file is not the file that $wheel_pin names: delete it and run again"

  local unpacked
  unpacked=$(mktemp -d build/deps/unpack.XXXXXX)
  python3 - "build/deps/$wheel_file" "$unpacked" "$wheel_libraries" <<'END'
import re, sys, zipfile
wheel, folder, libraries = sys.argv[1:]
wanted = re.compile(rf'pyarrow/(include/(arrow|parquet)/|lib({libraries})\.so\.\d+$)')
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(folder, filter(wanted.match, archive.namelist()))
END
  cp "$wheel_pin" "$unpacked/pyarrow/wheel.txt"
  rm -rf "$wheel_dir"
  mv "$unpacked/pyarrow" "$wheel_dir"
  rmdir "$unpacked"
  rm "build/deps/$wheel_file"
  say "Arrow unpacked to $wheel_dir"
}

# True as well when nobody asks for it.
flink_is_there() { [ "$flink" = no ] || cmp -s "$flink_pin" "$flink_dir/wheel.txt"; }

# Its libraries alone: the rest of the wheel is for Python.
install_flink() {
  mkdir -p build/deps
  if [ ! -f "build/deps/$flink_file" ]; then
    say "fetching $(grep -v '^#' "$flink_pin" | cut -d' ' -f1), 329 MB"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
      --dest build/deps -r "$flink_pin" >&2 ||
      die "pip could not fetch it, see above. Without a network, put $flink_file into build/deps/ and run again"
  fi
  grep -q "sha256:$(sha256sum "build/deps/$flink_file" | cut -d' ' -f1)" "$flink_pin" ||
    die "build/deps/$flink_file is not the file that $flink_pin names: delete it and run again"
  local unpacked
  unpacked=$(mktemp -d build/deps/unpack.XXXXXX)
  python3 - "build/deps/$flink_file" "$unpacked" <<'END'
import sys, zipfile
wheel, folder = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(folder, [name for name in archive.namelist() if name.startswith(('pyflink/lib/', 'pyflink/bin/'))])
END
  cp "$flink_pin" "$unpacked/pyflink/wheel.txt"
  rm -rf "$flink_dir"
  mv "$unpacked/pyflink" "$flink_dir"
  rmdir "$unpacked"
  rm "build/deps/$flink_file"
  say "Flink unpacked to $flink_dir"
}

# True as well when nobody asks for it.
test_python_is_there() { [ "$tests" = no ] || cmp -s "$python_pin" "$python_dir/requirements.txt"; }

install_test_python() {
  say "installing $python_pin to $python_dir"
  rm -rf "$python_dir"
  python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --target "$python_dir" \
    -r "$python_pin" >&2 || die "pip could not install it, see above"
  cp "$python_pin" "$python_dir/requirements.txt"
}

checks=no
tests=no
flink=no
case "${1:-}" in
  '') ;;
  --tests) tests=yes ;;
  --checks) checks=yes tests=yes ;;
  --flink) flink=yes tests=yes ;;
  *) die "unknown argument '$1': there are only --tests, --checks and --flink" ;;
esac

missing=$(missing_packages)
mapfile -t packages < <(printf '%s' "$missing")
if [ ${#packages[@]} -gt 0 ]; then install_packages "${packages[@]}"; fi
if ! arrow_is_there; then install_arrow; fi
if ! flink_is_there; then install_flink; fi
if ! test_python_is_there; then install_test_python; fi

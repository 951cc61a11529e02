// Arrow's way of reporting failures turned into ours, at the call.
//
// Arrow returns Status and Result; the engine throws Error. Every call into Arrow goes through one of these,
// from .cc files, which include the Arrow headers themselves. Any thread.
//
//   auto records = valueOf(reader->Next(), "file 'a.parquet'");
#pragma once

#include <arrow/type_fwd.h>

#include <string_view>
#include <utility>

#include "flott/base/error.h"

namespace flott {

/// `what` names what was worked on and stands before Arrow's own words. Input that is wrong or that the
/// library cannot take is kUser; failing files and lack of memory are kTransient.
Error arrowError(const arrow::Status& status, std::string_view what);

void check(const arrow::Status& status, std::string_view what);

template <typename T>
T valueOf(arrow::Result<T> result, std::string_view what) {
  if (!result.ok()) [[unlikely]]
    throw arrowError(result.status(), what);
  return std::move(result).ValueUnsafe();
}

}  // namespace flott

#include "flott/operators/function.h"

#include "flott/base/error.h"

namespace flott {
namespace {

constexpr size_t kRecordTextLimit = 200;

}  // namespace

void throwAtRecord(const BatchBody& batch, size_t i) {
  Error error = currentError();
  if (!error.context().empty() || i >= batch.size()) throw error;
  std::string record = batch.print(i);
  if (record.size() > kRecordTextLimit) record = record.substr(0, kRecordTextLimit) + "…";
  throw std::move(error).at("record " + record);
}

}  // namespace flott

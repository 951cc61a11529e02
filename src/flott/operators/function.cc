#include "flott/operators/function.h"

#include "flott/base/error.h"

namespace flott {
namespace {

constexpr size_t kRecordTextLimit = 200;

}  // namespace

std::shared_ptr<const OperatorFactory> shareFactory(const OperatorFactory* factory) {
  return std::shared_ptr<const OperatorFactory>(factory);
}

void throwAtRecord(const BatchBody& batch, size_t i) {
  if (i >= batch.size()) throw currentError();
  throwAtRecord(batch.print(i));
}

void throwAtRecord(std::string record) {
  Error error = currentError();
  if (!error.context().empty()) throw error;
  if (record.size() > kRecordTextLimit) record = record.substr(0, kRecordTextLimit) + "…";
  throw std::move(error).at("record " + record);
}

}  // namespace flott

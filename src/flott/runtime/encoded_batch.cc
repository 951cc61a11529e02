#include "flott/runtime/encoded_batch.h"

#include <utility>

#include "flott/base/bytes.h"
#include "flott/base/error.h"

namespace flott {
namespace {

[[noreturn]] void failBytesOnly() {
  checkFailed("batch", __FILE__, __LINE__, "one that was encoded can only leave the process");
}

}  // namespace

EncodedBatch::Bytes EncodedBatch::bytesOf(const Batch& batch) {
  auto bytes = std::make_shared<std::string>();
  ByteWriter out(*bytes);
  batch->encode(out);
  return bytes;
}

EncodedBatch::EncodedBatch(Bytes bytes, size_t records)
    : BatchBody(&kEncodedTag, records), bytes_(std::move(bytes)) {
  size_ = static_cast<uint32_t>(records);
}

void EncodedBatch::encode(ByteWriter& out) const { out.raw(bytes_->data(), bytes_->size()); }

Batch EncodedBatch::splitOff(size_t, BatchPools&) { failBytesOnly(); }
void EncodedBatch::scatter(const uint32_t*, size_t, Batch*, OutputPools) { failBytesOnly(); }
void EncodedBatch::append(Batch) { failBytesOnly(); }
Batch EncodedBatch::clone(BatchPools&) const { failBytesOnly(); }
BatchPool& EncodedBatch::poolIn(BatchPools&) const { failBytesOnly(); }
void EncodedBatch::decode(ByteReader&) { failBytesOnly(); }
void EncodedBatch::clear() { failBytesOnly(); }
std::string EncodedBatch::print(size_t) const { failBytesOnly(); }
const TypeDescription& EncodedBatch::description() const { failBytesOnly(); }

}  // namespace flott

// A batch on its way out of the process that was encoded before its turn: once for all receivers elsewhere.
//
// Put by an exchange that broadcasts into channels that a link reads, which only encodes it, as it would any
// other. Any other use of it is a broken invariant. The bytes are shared and never changed.
#pragma once

#include <memory>
#include <string>

#include "flott/data/batch.h"

namespace flott {

inline constexpr char kEncodedTag = 0;

class EncodedBatch final : public BatchBody {
 public:
  using Bytes = std::shared_ptr<const std::string>;

  static Bytes bytesOf(const Batch& batch);
  EncodedBatch(Bytes bytes, size_t records);

  const Bytes& shared() const { return bytes_; }
  size_t bytes() const override { return bytes_->size(); }
  void encode(ByteWriter& out) const override;

  Batch splitOff(size_t at, BatchPools& pools) override;
  void scatter(const uint32_t* targets, size_t count, Batch* out, OutputPools pools) override;
  void append(Batch other) override;
  Batch clone(BatchPools& pools) const override;
  BatchPool& poolIn(BatchPools& pools) const override;
  void decode(ByteReader& in) override;
  void clear() override;
  std::string print(size_t i) const override;
  const TypeDescription& description() const override;

 private:
  const Bytes bytes_;
};

}  // namespace flott

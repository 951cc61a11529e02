#include "flott/formats/lines.h"

#include <cstring>

#include "flott/data/rows.h"

namespace flott {
namespace {

// A batch of long lines closes after so many bytes.
constexpr size_t kMostBytes = 4 * kBatchBytes;

class LineDecoder final : public RecordDecoder {
 public:
  explicit LineDecoder(BatchPools& pools) : pool_(rowsPool<std::string>(pools)) {}

  void begin(const std::string&, std::string_view) override {}

  Decoded decode(const BlockInput& in, Batch& out) override {
    if (!out) out = pool_.acquire();
    Rows<std::string>& rows = out.rows<std::string>();
    const char* const begin = in.bytes.data();
    const char* const end = begin + in.bytes.size();
    const char* const stop = begin + std::min(in.owned, kMostBytes);
    const char* at = begin;
    while (at < stop && !rows.full()) {
      const auto left = static_cast<size_t>(end - at);
      const char* lineFeed = static_cast<const char*>(std::memchr(at, '\n', left));
      if (lineFeed == nullptr && !in.last) break;
      const char* lineEnd = lineFeed == nullptr ? end : lineFeed;
      const bool carriageReturn = lineFeed != nullptr && lineEnd > at && lineEnd[-1] == '\r';
      rows.slot().assign(at, static_cast<size_t>(lineEnd - at) - (carriageReturn ? 1 : 0));
      at = lineFeed == nullptr ? end : lineFeed + 1;
    }
    return {.bytes = static_cast<size_t>(at - begin)};
  }

 private:
  BatchPool& pool_;
};

class LineFormat final : public BlockFormat {
 public:
  std::unique_ptr<RecordDecoder> createDecoder(BatchPools& pools) const override {
    return std::make_unique<LineDecoder>(pools);
  }
};

}  // namespace

std::shared_ptr<const BlockFormat> lineFormat() { return std::make_shared<LineFormat>(); }

}  // namespace flott

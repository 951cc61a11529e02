#include "flott/state/stored_value.h"

#include "flott/base/bytes.h"
#include "flott/base/error.h"

namespace flott {
namespace {

constexpr size_t kTimeBytes = 8;

// Runs `value` over the value in the middle; `out` may be null.
template <typename F>
void withTimes(TimesPlace times, ByteReader& in, ByteWriter* out, F&& value) {
  const auto pass = [&](size_t bytes) {
    const char* const from = in.raw(bytes);
    if (out != nullptr) out->raw(from, bytes);
  };
  ByteReader ahead = in;
  switch (times) {
    case TimesPlace::kNone:
      return value();
    case TimesPlace::kBefore:
      pass(kTimeBytes);
      return value();
    case TimesPlace::kBehindList: {
      value();
      const size_t count = in.count(kTimeBytes);
      if (out != nullptr) out->varint(count);
      return pass(count * kTimeBytes);
    }
    case TimesPlace::kBehindMap: {
      const size_t count = ahead.count();
      value();
      if (count > in.remaining() / kTimeBytes) in.fail("ends early");
      return pass(count * kTimeBytes);
    }
  }
}

}  // namespace

TimesPlace timesPlace(std::string_view kind, bool expires) {
  if (!expires) return TimesPlace::kNone;
  if (kind == "list") return TimesPlace::kBehindList;
  if (kind == "map") return TimesPlace::kBehindMap;
  return TimesPlace::kBefore;
}

void ValueRewriter::run(ByteReader& in, ByteWriter& out) const {
  withTimes(times_, in, &out, [&] { migration_.run(in, out); });
}

void StoredValueSkipper::skip(ByteReader& in) const {
  withTimes(times_, in, nullptr, [&] { skipper_.skip(in); });
}

}  // namespace flott

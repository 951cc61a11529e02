#include "flott/operators/skew/hot_keys.h"

#include <algorithm>
#include <cstdio>
#include <vector>

namespace flott {

HotKeys::Counted& HotKeys::count(uint64_t hash) {
  if (total_ == kHalveAt) halve();
  ++total_;
  ++samples_;
  Counted* least = counted_;
  for (Counted& counted : counted_) {
    if (counted.hash == hash && counted.count > 0) {
      ++counted.count;
      return counted;
    }
    if (counted.count < least->count) least = &counted;
  }
  *least = {hash, least->count + 1, least->count, {}};
  return *least;
}

// At random distances, so that a stream with a rhythm is no trap.
void HotKeys::skip() {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  next_ += kRecordsPerSample / 2 + (random_ >> 32) % kRecordsPerSample;
}

void HotKeys::halve() {
  total_ /= 2;
  for (Counted& counted : counted_) {
    counted.count /= 2;
    counted.error /= 2;
  }
}

HotKeys::Report HotKeys::report() const {
  std::vector<const Counted*> hot;
  for (const Counted& counted : counted_) {
    if (isHot(counted) && !counted.text.empty()) hot.push_back(&counted);
  }
  std::sort(hot.begin(), hot.end(), [](const Counted* a, const Counted* b) {
    return a->count != b->count ? a->count > b->count : a->text < b->text;
  });
  Report report;
  for (const Counted* counted : hot) {
    const double share = static_cast<double>(counted->count - counted->error) / total_;
    report.share = std::max(report.share, share);
    char text[32];
    std::snprintf(text, sizeof text, " %.1f%%", share * 100);
    report.text += (report.text.empty() ? "" : ", ") + counted->text + text;
  }
  return report;
}

}  // namespace flott

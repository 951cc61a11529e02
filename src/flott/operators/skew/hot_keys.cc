#include "flott/operators/skew/hot_keys.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <vector>

namespace flott {

size_t HotKeys::count(uint64_t hash) {
  if (total_ == kHalveAt) halve();
  ++total_;
  ++samples_;
  // No branch in either loop: hardly one of a stream without hot keys could be predicted.
  static_assert(kKeys <= 32 && kHalveAt < (1U << 31) / kKeys);
  uint32_t found = 0;
  uint32_t leastCount = UINT32_MAX;  // with its key in the last bits
  for (uint32_t key = 0; key < kKeys; ++key) {
    found |= static_cast<uint32_t>(hashes_[key] == hash) << key;
    leastCount = std::min(leastCount, counts_[key] * static_cast<uint32_t>(kKeys) + key);
  }
  if (found != 0) {
    const auto key = static_cast<size_t>(std::countr_zero(found));
    if (counts_[key]++ == 0) texts_[key].clear();
    return key;
  }
  const size_t least = leastCount % kKeys;
  hashes_[least] = hash;
  errors_[least] = counts_[least]++;
  texts_[least].clear();
  return least;
}

// At random distances, so that a stream with a rhythm is no trap.
void HotKeys::skip() {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  const size_t distance = std::min<size_t>(kFirstDistance + samples_, kLastDistance);
  next_ += distance / 2 + (random_ >> 32) % distance;
}

void HotKeys::halve() {
  total_ /= 2;
  for (size_t key = 0; key < kKeys; ++key) {
    counts_[key] /= 2;
    errors_[key] /= 2;
  }
}

HotKeys::Report HotKeys::report() const {
  std::vector<size_t> hot;
  for (size_t key = 0; key < kKeys; ++key) {
    if (isHot(key) && !texts_[key].empty()) hot.push_back(key);
  }
  std::sort(hot.begin(), hot.end(), [this](size_t a, size_t b) {
    return counts_[a] != counts_[b] ? counts_[a] > counts_[b] : texts_[a] < texts_[b];
  });
  Report report;
  for (const size_t key : hot) {
    const double share = static_cast<double>(surely(key)) / total_;
    report.share = std::max(report.share, share);
    char text[32];
    std::snprintf(text, sizeof text, " %.1f%%", share * 100);
    report.text += (report.text.empty() ? "" : ", ") + texts_[key] + text;
  }
  return report;
}

}  // namespace flott

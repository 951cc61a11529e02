#include "flott/operators/skew/hot_keys.h"

#include <algorithm>
#include <cstdio>
#include <vector>

namespace flott {

size_t HotKeys::count(uint64_t hash) {
  if (total_ == kHalveAt) halve();
  ++total_;
  ++samples_;
  for (size_t key = 0; key < kKeys; ++key) {
    if (hashes_[key] != hash || counts_[key] == 0) continue;
    ++counts_[key];
    return key;
  }
  const auto least = static_cast<size_t>(std::min_element(counts_, counts_ + kKeys) - counts_);
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

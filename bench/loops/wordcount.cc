#include "bench/loops/wordcount.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include "bench/loops/fold_buffer.h"
#include "flott/base/hash.h"

namespace flott::bench {
namespace {

constexpr uint64_t kWords = 10'000;

struct WordHash {
  using is_transparent = void;  // look-up by string_view makes no string
  using is_avalanching = void;  // the map need not mix the bits again
  size_t operator()(std::string_view word) const { return hashBytes(word); }
};

struct WordEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return a == b; }
};

}  // namespace

Vocabulary::Vocabulary() {
  words_.reserve(kWords);
  for (uint64_t seed = 0; words_.size() < kWords;) {
    std::string& word = words_.emplace_back();
    for (int64_t letters = 4 + randomBelow(randomBits(seed++), 6); letters > 0; --letters)
      word.push_back(static_cast<char>('a' + randomBelow(randomBits(seed++), 26)));
  }
  double total = 0;
  for (uint64_t n = 1; n <= kWords; ++n) total += 1.0 / static_cast<double>(n);
  constexpr uint64_t kDraws = uint64_t{1} << kDrawBits;
  drawn_.reserve(kDraws);
  uint32_t word = 0;
  double weightUpToWord = 1;
  for (uint64_t i = 0; i < kDraws; ++i) {
    const double weight = (static_cast<double>(i) + 0.5) / static_cast<double>(kDraws) * total;
    while (weightUpToWord < weight && word + 1 < kWords)
      weightUpToWord += 1.0 / static_cast<double>(++word + 1);
    drawn_.push_back(word);
  }
}

const Vocabulary& vocabulary() {
  static const Vocabulary words;
  return words;
}

Outcome wordcountLoop(const Load& load) {
  boost::unordered_flat_map<std::string, int64_t, WordHash, WordEqual> counts;
  FoldBuffer<WordCount> out;
  const Vocabulary& words = vocabulary();
  std::string line;
  for (uint64_t i = 0; i < load.size; ++i) {
    words.line(i, line);
    forEachWord(line, [&](std::string_view word) {
      auto entry = counts.find(word);
      if (entry == counts.end()) entry = counts.emplace(std::string(word), 0).first;
      WordCount& result = out.next();
      result.word.assign(word);
      result.count = ++entry->second;
      out.written();
    });
  }
  return out.outcome(load.size * Vocabulary::kWordsInLine);
}

}  // namespace flott::bench

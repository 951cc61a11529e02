// wordcount: generated lines of ten words, split at spaces, the running count of its word emitted for every
// word.
//
// There are 10,000 words of 4 to 9 letters; the n-th is drawn with a weight of 1/n (Zipf, exponent 1).
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "bench/harness.h"
#include "bench/loops/generated.h"

namespace flott::bench {

struct WordCount {
  std::string word;
  int64_t count;
};

/// Reads the string as well, at both ends.
inline uint64_t fold(const WordCount& record) {
  const uint64_t letters =
      static_cast<uint8_t>(record.word.front()) * 256u + static_cast<uint8_t>(record.word.back());
  return static_cast<uint64_t>(record.count) ^ (letters << 40) ^ (record.word.size() << 60);
}

/// The words and their distribution. Immutable; any thread may draw lines.
class Vocabulary {
 public:
  static constexpr int kWordsInLine = 10;

  Vocabulary();

  /// Replaces `line` by line number `index`.
  void line(uint64_t index, std::string& line) const {
    line.clear();
    for (uint64_t i = 0; i < kWordsInLine; ++i) {
      if (i > 0) line.push_back(' ');
      line.append(words_[drawn_[randomBits(index * kWordsInLine + i) >> (64 - kDrawBits)]]);
    }
  }

 private:
  static constexpr int kDrawBits = 18;

  std::vector<std::string> words_;
  std::vector<uint32_t> drawn_;  // 2^18 word numbers, each as often as its weight asks for
};

/// The one vocabulary of the program, made at the first call.
const Vocabulary& vocabulary();

/// Calls f(std::string_view) for each word of the line.
template <typename F>
inline void forEachWord(std::string_view line, F f) {
  const char* begin = line.data();
  const char* const end = begin + line.size();
  while (begin < end) {
    const void* space = std::memchr(begin, ' ', static_cast<size_t>(end - begin));
    const char* stop = space != nullptr ? static_cast<const char*>(space) : end;
    if (stop != begin) f(std::string_view(begin, static_cast<size_t>(stop - begin)));
    begin = stop + 1;
  }
}

Outcome wordcountLoop(const Load& load);

}  // namespace flott::bench

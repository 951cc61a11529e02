#include "bench/loops/wordcount.h"

#include "bench/engine/generated_stream.h"
#include "bench/engine/jobs.h"

namespace flott::bench {

Outcome wordcountJob(const Load& load) {
  StreamExecutionEnvironment env = benchEnvironment(load);
  auto total = std::make_shared<Folded>();
  const Vocabulary* words = &vocabulary();
  auto lines = generated<std::string>(
      env, load.size, [words](Rows<std::string>& rows, uint64_t index, uint64_t stride, uint64_t count) {
        for (uint64_t i = 0; i < count; ++i) words->line(index + i * stride, rows.slot());
      });
  auto counts = lines
                    .flatMap([](const std::string& line, Collector<WordCount>& out) {
                      forEachWord(line, [&](std::string_view word) { out.emplace(word, 1); });
                    })
                    .keyBy(&WordCount::word)
                    .sum(&WordCount::count);
  foldInto(counts, total);
  env.execute("wordcount");
  return total->outcome(load.size * Vocabulary::kWordsInLine);
}

}  // namespace flott::bench

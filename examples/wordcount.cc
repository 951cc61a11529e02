// Counts the words in text files as a stream: every word that comes in puts out its count so far.
//
//   wordcount [--input PATH[,PATH…]] [--parallelism N] [--top N]
//
// Without --input it reads the text files that come with the system.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "flott/flott.h"

using namespace flott;

struct WordCount {
  std::string word;
  int64_t count;
};

// Calls f(word) for each run of letters, in lower case.
template <typename F>
void forEachWord(std::string_view line, std::string& word, F f) {
  const auto end = [&] {
    if (!word.empty()) f(word);
    word.clear();
  };
  word.clear();
  for (const char c : line) {
    if (c >= 'a' && c <= 'z') {
      word.push_back(c);
    } else if (c >= 'A' && c <= 'Z') {
      word.push_back(static_cast<char>(c - 'A' + 'a'));
    } else {
      end();
    }
  }
  end();
}

// Remembers the last count of each word; the sink has one subtask, so nothing is shared.
class Totals {
 public:
  explicit Totals(std::map<std::string, int64_t>* totals) : totals_(totals) {}
  void operator()(const WordCount& count) { (*totals_)[count.word] = count.count; }

 private:
  std::map<std::string, int64_t>* totals_;
};

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  for (size_t from = 0; from <= list.size();) {
    const size_t comma = std::min(list.find(',', from), list.size());
    if (comma > from) parts.push_back(list.substr(from, comma - from));
    from = comma + 1;
  }
  return parts;
}

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);
  const Parameters& parameters = env.parameters();
  const std::string input = parameters.get(
      "input", "/usr/share/common-licenses,/usr/share/doc/**/*.txt,/usr/share/doc/**/copyright");
  env.setParallelism(static_cast<int>(parameters.getInt("parallelism", env.parallelism())));

  std::map<std::string, int64_t> totals;
  env.readTextFile(split(input))
      .name("lines")
      .flatMap([word = std::string()](const std::string& line, Collector<WordCount>& out) mutable {
        forEachWord(line, word, [&](const std::string& w) { out.collect({w, 1}); });
      })
      .name("words")
      .keyBy(&WordCount::word)
      .sum(&WordCount::count)
      .addSink(Totals(&totals))
      .name("totals")
      .setParallelism(1);

  JobClient job = env.executeAsync("Word count");
  const auto started = std::chrono::steady_clock::now();
  while (!job.waitFor(Duration::millis(500))) {
    const JobProgress progress = job.progress();
    std::fprintf(stderr, "\r%lld lines, %lld words …", static_cast<long long>(progress.recordsIn),
                 static_cast<long long>(progress.recordsOut));
  }
  const JobExecutionResult result = job.result();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();

  std::vector<std::pair<std::string, int64_t>> top(totals.begin(), totals.end());
  std::stable_sort(top.begin(), top.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  top.resize(std::min(top.size(), static_cast<size_t>(parameters.getInt("top", 10))));
  for (const auto& [word, count] : top)
    std::printf("%10lld  %s\n", static_cast<long long>(count), word.c_str());
  const int64_t lines = result.counter("lines", "numRecordsOut");
  const int64_t words = result.counter("words", "numRecordsOut");
  std::printf("%lld lines in, %lld words out, %zu different, in %.2f s: %.1f million words/s\n",
              static_cast<long long>(lines), static_cast<long long>(words), totals.size(), seconds,
              static_cast<double>(words) / seconds / 1e6);
}

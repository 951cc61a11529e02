// Counts words and prints the count of a word whenever it changes.
#include <cstdint>
#include <string>
#include <string_view>

#include "flott/flott.h"

using namespace flott;

struct WordCount {
  std::string word;
  int64_t count;
};

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);

  env.fromElements<std::string>({"to be or not to be", "that is the question"})
      .flatMap([](const std::string& line, Collector<WordCount>& out) {
        std::string_view rest = line;
        while (!rest.empty()) {
          const size_t end = rest.find(' ');
          out.collect({std::string(rest.substr(0, end)), 1});
          rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        }
      })
      .keyBy(&WordCount::word)
      .sum(&WordCount::count)
      .print();

  env.execute("Word count");
}

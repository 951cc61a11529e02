// Counts words that arrive over a socket, in windows of five seconds.
//
//   nc -lk 9999                          in one terminal: type words here
//   socket_wordcount [--host HOST] [--port PORT] [--seconds N]
#include <cstdint>
#include <string>
#include <string_view>

#include "flott/flott.h"

using namespace flott;

struct WordCount {
  std::string word;
  int64_t count;
};

void splitWords(const std::string& line, Collector<WordCount>& out) {
  constexpr std::string_view kBlanks = " \t\r";
  for (size_t from = line.find_first_not_of(kBlanks); from != std::string::npos;) {
    const size_t end = line.find_first_of(kBlanks, from);
    out.collect({line.substr(from, end - from), 1});
    from = line.find_first_not_of(kBlanks, end);
  }
}

uint16_t portOf(const Parameters& parameters) {
  const int64_t port = parameters.getInt("port", 9999);
  if (port < 1 || port > 65535)
    throw Error(ErrorKind::kUser, "parameter 'port': " + std::to_string(port) + " is not from 1 to 65535");
  return static_cast<uint16_t>(port);
}

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);
  const Parameters& parameters = env.parameters();
  const Duration window = Duration::seconds(parameters.getInt("seconds", 5));

  env.socketTextStream(parameters.get("host", "localhost"), portOf(parameters))
      .flatMap(splitWords)
      .keyBy(&WordCount::word)
      .window(TumblingProcessingTimeWindows::of(window))
      .sum(&WordCount::count)
      .print();

  env.execute("Socket window word count");
}

#include "flott/cluster/whole_files.h"

namespace flott {

std::string readFile(Files& files, const std::string& path) {
  const auto reader = files.open(path);
  std::string text(reader->size(), '\0');
  size_t have = 0;
  for (size_t n = 1; n > 0 && have < text.size(); have += n)
    n = reader->read(have, {text.data() + have, text.size() - have});
  text.resize(have);
  return text;
}

void replaceFile(Files& files, const std::string& path, std::string_view text) {
  const auto writer = files.create(path + ".new", WriteMode::kCreate);
  writer->write(text);
  writer->sync();
  writer->close();
  files.rename(path + ".new", path);
}

}  // namespace flott

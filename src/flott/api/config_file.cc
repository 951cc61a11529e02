#include "flott/api/config_file.h"

#include <yaml-cpp/yaml.h>

#include "flott/base/error.h"

namespace flott {
namespace {

class Flattening {
 public:
  explicit Flattening(const std::string& path) : path_(path) {}

  // `mark` is where the key stands: that is the line to look at, wherever the value is.
  void add(const std::string& key, const YAML::Mark& mark, const YAML::Node& node) {
    switch (node.Type()) {
      case YAML::NodeType::Map:
        for (const auto& entry : node) {
          const std::string name = scalar(entry.first, "a key");
          add(key.empty() ? name : key + "." + name, entry.first.Mark(), entry.second);
        }
        return;
      case YAML::NodeType::Scalar:
        put(key, node.Scalar(), mark);
        return;
      case YAML::NodeType::Sequence: {
        StringList list;
        for (const YAML::Node& element : node) list.push_back(scalar(element, "an element of a list"));
        put(key, OptionValue<StringList>::render(list), mark);
        return;
      }
      case YAML::NodeType::Null:
      case YAML::NodeType::Undefined:
        throw fail(mark, "'" + key + "' has no value: give one, or remove the line");
    }
  }

  Configuration result;

 private:
  std::string place(const YAML::Mark& mark) const { return path_ + ":" + std::to_string(mark.line + 1); }

  Error fail(const YAML::Mark& mark, const std::string& why) const {
    return Error(ErrorKind::kUser, place(mark) + ": " + why);
  }

  std::string scalar(const YAML::Node& node, const char* what) const {
    if (!node.IsScalar()) throw fail(node.Mark(), std::string(what) + " must be a plain text");
    return node.Scalar();
  }

  void put(const std::string& key, const std::string& value, const YAML::Mark& mark) {
    if (key.empty()) throw fail(mark, "a configuration is made of lines such as 'parallelism.default: 4'");
    const auto before = result.entries().find(key);
    if (before != result.entries().end()) {
      throw fail(mark,
                 "'" + key + "' was given before, at " + before->second.origin + ": remove one of them");
    }
    result.set(key, value, place(mark));
  }

  const std::string& path_;
};

}  // namespace

Configuration loadConfigFile(Files& files, const std::string& path) {
  const std::string text = readWholeFile(files, path);
  Flattening flattening(path);
  try {
    const YAML::Node root = YAML::Load(text);
    if (!root.IsNull()) flattening.add("", root.Mark(), root);  // a file of comments is an empty one
  } catch (const YAML::Exception& error) {
    throw Error(ErrorKind::kUser,
                path + ":" + std::to_string(error.mark.line + 1) + ": not YAML: " + error.msg);
  }
  return std::move(flattening.result);
}

std::string readWholeFile(Files& files, const std::string& path) {
  const auto reader = files.open(path);
  std::string text;
  char block[16 * 1024];
  while (const size_t size = reader->read(text.size(), block)) text.append(block, size);
  return text;
}

}  // namespace flott

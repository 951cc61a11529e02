// docs/configuration.md is made from the registry of options, so that it cannot go stale. To write it anew:
//
//   build/release/tests/flott_base_test --gtest_also_run_disabled_tests
//                                       --gtest_filter=ConfigurationPage.DISABLED_WriteIt
//
// Both tests run in the root folder of the project, as run_tests.py does.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "flott/base/options.h"

namespace flott {
namespace {

constexpr const char* kPage = "docs/configuration.md";

constexpr const char* kIntroduction = R"(# Options

Made from `src/flott/base/options.h` by a test; do not edit.

Options are given in a file by `--config FILE` (YAML, keys nested or dotted), as `-D key=value`, or by
`env.configure(…)` in the program; later ones of these are stronger. An unknown key and a value that does not fit are
errors. The `flott` command also looks for `config.yaml` in the folder `FLOTT_CONF_DIR`, or in `conf`, and at environment
variables, `FLOTT_OPTION_REST_PORT` for `rest.port`, which are stronger than files and weaker than `-D`; `flott config` shows
what holds, and where it comes from.
Durations are written as `100 ms`, `5 s`, `2 min`, `1 h`, `1 d`, sizes as `16 kb`, `64 mb`, `1 gb`. Keys of Flink mean
what they mean there; keys that begin with `flott.` are our own.

| option | type | default | |
|---|---|---|---|
)";

std::string typeName(OptionType type) {
  switch (type) {
    case OptionType::kBool:
      return "bool";
    case OptionType::kInteger:
      return "integer";
    case OptionType::kNumber:
      return "number";
    case OptionType::kString:
      return "text";
    case OptionType::kDuration:
      return "duration";
    case OptionType::kMemory:
      return "size";
    case OptionType::kList:
      return "list: a;b";
    case OptionType::kMap:
      return "map: a:1,b:2";
  }
  return {};
}

// "STREAMING|AUTOMATIC" -> "`STREAMING`, `AUTOMATIC`"; a bar would end the column.
std::string choicesText(std::string_view choices) {
  std::string text = "`";
  for (const char c : choices) text += c == '|' ? std::string("`, `") : std::string(1, c);
  return text + "`";
}

std::string configurationPage() {
  std::string page = kIntroduction;
  const OptionRegistry registry = standardOptions();
  for (const auto& [key, spec] : registry.options()) {
    std::string defaultText = "none";
    if (spec.defaultText && !spec.defaultText->empty())
      defaultText = "`" + std::string(*spec.defaultText) + "`";
    page += "| `" + std::string(key) + "` | " +
            (spec.choices.empty() ? typeName(spec.type) : choicesText(spec.choices)) + " | " + defaultText +
            " | " + std::string(spec.description) + " |\n";
  }
  return page;
}

TEST(ConfigurationPage, SaysWhatTheRegistryHas) {
  std::ifstream file(kPage);
  const std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  ASSERT_FALSE(page.empty()) << "cannot read " << kPage << ": run this in the root folder of the project";
  EXPECT_TRUE(page == configurationPage())
      << kPage << " is out of date. Write it anew:\n  build/release/tests/flott_base_test "
      << "--gtest_also_run_disabled_tests --gtest_filter=ConfigurationPage.DISABLED_WriteIt";
}

TEST(ConfigurationPage, DISABLED_WriteIt) {
  std::ofstream file(kPage);
  file << configurationPage();
  file.close();
  EXPECT_TRUE(file.good()) << "cannot write " << kPage;
}

}  // namespace
}  // namespace flott

#include "flott/connectors/print/print_sink.h"

#include "flott/env/env.h"

namespace flott {

std::string printPrefix(const std::string& identifier, const OperatorInfo& info) {
  std::string prefix = identifier;
  if (info.parallelism > 1) {
    if (!prefix.empty()) prefix += ':';
    prefix += std::to_string(info.subtask.value + 1);
  }
  return prefix.empty() ? prefix : prefix + "> ";
}

void printText(OperatorContext& context, PrintTarget target, const std::string& text) {
  Console& console = context.env().console;
  target == PrintTarget::kOut ? console.out(text) : console.err(text);
}

}  // namespace flott

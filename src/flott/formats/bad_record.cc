#include "flott/formats/bad_record.h"

namespace flott {

std::string toString(const BadRecord& record) {
  std::string text = record.file + ", line " + std::to_string(record.line);
  if (record.column > 0) text += ", column " + std::to_string(record.column);
  if (!record.columnName.empty()) text += " ('" + record.columnName + "')";
  return text + ": '" + record.text + "' " + record.reason;
}

std::string excerpt(std::string_view text) {
  constexpr size_t kMost = 80;
  if (text.size() <= kMost) return std::string(text);
  size_t cut = kMost;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
  return std::string(text.substr(0, cut)) + "…";
}

}  // namespace flott

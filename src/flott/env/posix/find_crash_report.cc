#include <cxxabi.h>

#include <cstdlib>
#include <memory>

#include "flott/env/posix/crash_report.h"

namespace flott {
namespace {

constexpr std::string_view kMangled = " _Z";

bool belongsToName(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '$';
}

/// Names that the compiler made of C++ names, one a line at most.
std::string withReadableNames(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t found = text.find(kMangled, at);
    if (found == std::string_view::npos) return out.append(text.substr(at));
    const size_t begin = found + 1;
    size_t end = begin;
    while (end < text.size() && belongsToName(text[end])) ++end;
    out.append(text.substr(at, begin - at));
    const std::string name(text.substr(begin, end - begin));
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> readable(
        abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), std::free);
    out += readable != nullptr && status == 0 ? std::string(readable.get()) : name;
    at = end;
  }
  return out;
}

}  // namespace

std::optional<std::string> findCrashReport(std::string_view text) {
  const size_t end = text.rfind(kCrashReportEnd);
  if (end == std::string_view::npos) return std::nullopt;
  const size_t begin = text.substr(0, end).rfind(kCrashReportBegin);
  if (begin == std::string_view::npos) return std::nullopt;
  size_t from = begin + kCrashReportBegin.size();
  if (from < end && text[from] == '\n') ++from;
  return withReadableNames(text.substr(from, end - from));
}

}  // namespace flott

#include "flott/rest/multipart.h"

#include <algorithm>

#include "flott/rest/http_text.h"
#include "flott/rest/refusal.h"

namespace flott {
namespace {

constexpr size_t kHeaderBytes = 8 << 10;
constexpr size_t kPreambleBytes = 8 << 10;
constexpr size_t kBoundaryBytes = 256;
constexpr int kParts = 64;

[[noreturn]] void refuseForm(const std::string& what) {
  throw Refusal{400, "the form cannot be read: " + what};
}

// Browsers of old sent whole paths.
std::string plainName(const std::string& name) {
  std::string plain = name.substr(name.find_last_of("/\\") + 1);
  std::erase_if(plain, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; });
  return plain == "." || plain == ".." ? "" : plain.substr(0, 255);
}

}  // namespace

std::optional<std::string> multipartBoundary(std::string_view contentType) {
  const std::string_view type = trimmed(contentType.substr(0, contentType.find(';')));
  if (lowerCase(type) != "multipart/form-data") return {};
  std::optional<std::string> boundary = parameterOf(contentType, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > kBoundaryBytes)
    refuseForm("its Content-Type has no boundary");
  return boundary;
}

void MultipartParser::feed(std::string_view bytes) {
  if (state_ == State::kEnd) return;
  pending_ += bytes;
  while (advance()) {
  }
}

void MultipartParser::finish() const {
  if (state_ != State::kEnd) refuseForm("it has no end");
}

bool MultipartParser::advance() {
  switch (state_) {
    case State::kPreamble: {
      const size_t found = pending_.find(delimiter_);
      if (found == std::string::npos) {
        if (pending_.size() > kPreambleBytes) refuseForm("it does not begin with its boundary");
        return false;
      }
      pending_.erase(0, found + delimiter_.size());
      state_ = State::kDelimiter;
      return true;
    }
    case State::kDelimiter: {
      const size_t text = std::min(pending_.find_first_not_of(" \t"), pending_.size());
      if (text > kHeaderBytes) refuseForm("a boundary is followed by nothing");
      if (pending_.size() < text + 2) return false;
      pending_.erase(0, text);
      if (pending_.starts_with("--")) {
        state_ = State::kEnd;
        return false;
      }
      if (!pending_.starts_with("\r\n")) refuseForm("a boundary is followed by something else");
      if (++parts_ > kParts) refuseForm("it has more than " + std::to_string(kParts) + " parts");
      state_ = State::kHeaders;
      return true;
    }
    case State::kHeaders: {
      const size_t end = pending_.find("\r\n\r\n");
      if (end > kHeaderBytes && pending_.size() > kHeaderBytes)
        refuseForm("the headers of a part are too long");
      if (end == std::string::npos) return false;
      readHeaders(std::string_view(pending_).substr(0, end));
      pending_.erase(0, end + 4);
      state_ = State::kData;
      return true;
    }
    case State::kData:
      return advanceInData();
    case State::kEnd:
      return false;
  }
  return false;
}

bool MultipartParser::advanceInData() {
  const size_t found = pending_.find(delimiter_);
  if (found != std::string::npos) {
    if (found > 0) sink_.partData(std::string_view(pending_).substr(0, found));
    sink_.endPart();
    pending_.erase(0, found + delimiter_.size());
    state_ = State::kDelimiter;
    return true;
  }
  // The end may be the beginning of a delimiter.
  if (pending_.size() < delimiter_.size()) return false;
  const size_t sure = pending_.size() - delimiter_.size() + 1;
  sink_.partData(std::string_view(pending_).substr(0, sure));
  pending_.erase(0, sure);
  return false;
}

void MultipartParser::readHeaders(std::string_view headers) {
  std::optional<std::string> field;
  std::optional<std::string> file;
  while (!headers.empty()) {
    const size_t end = std::min(headers.find("\r\n"), headers.size());
    const std::string_view line = headers.substr(0, end);
    headers.remove_prefix(std::min(end + 2, headers.size()));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || lowerCase(trimmed(line.substr(0, colon))) != "content-disposition")
      continue;
    const std::string_view value = line.substr(colon + 1);
    field = parameterOf(value, "name");
    file = parameterOf(value, "filename");
  }
  if (!field) refuseForm("a part has no name");
  sink_.beginPart(field->substr(0, 255), file ? std::optional(plainName(*file)) : std::nullopt);
}

}  // namespace flott

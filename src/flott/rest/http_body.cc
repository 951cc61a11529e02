#include "flott/rest/http_body.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "flott/rest/http_text.h"
#include "flott/rest/refusal.h"

namespace flott {
namespace {

constexpr size_t kLineBytes = 256;  // of a chunk's length with its extensions, and of a trailer
constexpr int kTrailers = 64;
constexpr size_t kBlock = 16 << 10;

[[noreturn]] void refuseUnreadable(const std::string& what) {
  throw Refusal{400, "the body cannot be read: " + what};
}

uint64_t numberFrom(std::string_view text, int base, const char* what) {
  uint64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || problem != std::errc() || end != text.data() + text.size())
    refuseUnreadable("'" + std::string(text.substr(0, 32)) + "' is no " + what);
  return number;
}

bool isChunked(std::string_view coding) {
  constexpr std::string_view kName = "chunked";
  return coding.size() == kName.size() &&
         std::equal(coding.begin(), coding.end(), kName.begin(),
                    [](char c, char known) { return c == known || c + ('a' - 'A') == known; });
}

}  // namespace

BodyFraming bodyFraming(const std::vector<std::string>& contentLengths,
                        const std::vector<std::string>& transferEncodings) {
  if (!transferEncodings.empty()) {
    if (!contentLengths.empty()) refuseUnreadable("it has both Content-Length and Transfer-Encoding");
    if (transferEncodings.size() > 1 || !isChunked(trimmed(transferEncodings.front())))
      throw Refusal{501, "the transfer encoding '" + transferEncodings.front().substr(0, 64) +
                             "' is not known: send the body as it is, or chunked"};
    return {.kind = BodyFraming::Kind::kChunked};
  }
  if (contentLengths.empty()) return {};
  const uint64_t length = numberFrom(trimmed(contentLengths.front()), 10, "Content-Length");
  for (const std::string& other : contentLengths) {
    if (numberFrom(trimmed(other), 10, "Content-Length") != length)
      refuseUnreadable("it has several lengths");
  }
  return {.kind = length == 0 ? BodyFraming::Kind::kNone : BodyFraming::Kind::kLength, .length = length};
}

HttpBody::HttpBody(ByteSource& source, BodyFraming framing, uint64_t limit)
    : source_(source), framing_(framing), limit_(limit), ended_(framing.kind == BodyFraming::Kind::kNone) {
  if (framing.kind == BodyFraming::Kind::kLength && framing.length > limit) count(limit + 1);
}

size_t HttpBody::read(std::span<char> into) {
  if (ended_ || into.empty()) return 0;
  const size_t n = framing_.kind == BodyFraming::Kind::kChunked ? readChunked(into) : readPlain(into);
  count(n);
  return n;
}

void HttpBody::count(size_t more) {
  taken_ += more;
  if (taken_ > limit_) throw Refusal{413, "the body has more than " + std::to_string(limit_) + " bytes"};
}

size_t HttpBody::readPlain(std::span<char> into) {
  const bool known = framing_.kind == BodyFraming::Kind::kLength;
  if (known)
    into = into.first(static_cast<size_t>(std::min<uint64_t>(into.size(), framing_.length - taken_)));
  const size_t n = source_.read(into);
  if (n == 0 && known)
    refuseUnreadable("it ends after " + std::to_string(taken_) + " of " + std::to_string(framing_.length) +
                     " bytes");
  ended_ = n == 0 || (known && taken_ + n == framing_.length);
  return n;
}

size_t HttpBody::readChunked(std::span<char> into) {
  if (chunkLeft_ == 0) {
    if (!std::exchange(firstChunk_, false) && !line().empty()) refuseUnreadable("a chunk is too long");
    const std::string text = line();
    chunkLeft_ =
        numberFrom(trimmed(std::string_view(text).substr(0, text.find(';'))), 16, "length of a chunk");
    if (chunkLeft_ == 0) {
      for (int trailers = 0; !line().empty(); ++trailers)
        if (trailers == kTrailers) refuseUnreadable("it has too many trailers");
      ended_ = true;
      return 0;
    }
  }
  if (at_ == buffer_.size() && !fill()) refuseUnreadable("it ends within a chunk");
  const auto n =
      static_cast<size_t>(std::min<uint64_t>(chunkLeft_, std::min(into.size(), buffer_.size() - at_)));
  std::copy_n(buffer_.begin() + static_cast<ptrdiff_t>(at_), n, into.begin());
  at_ += n;
  chunkLeft_ -= n;
  return n;
}

bool HttpBody::fill() {
  buffer_.resize(kBlock);
  at_ = 0;
  buffer_.resize(source_.read(buffer_));
  return !buffer_.empty();
}

char HttpBody::nextByte() {
  if (at_ == buffer_.size() && !fill()) refuseUnreadable("it ends before its last chunk");
  return buffer_[at_++];
}

std::string HttpBody::line() {
  std::string line;
  for (char c = nextByte(); c != '\n'; c = nextByte()) {
    line += c;
    if (line.size() > kLineBytes) refuseUnreadable("a line between chunks is too long");
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace flott

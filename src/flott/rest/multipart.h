// Takes a form apart that a browser or `curl -F` sent: multipart/form-data, as it comes in, in pieces of any
// size.
//
// Pure, one thread. Nothing but a part's headers is held in memory; these and the number of parts are
// bounded.
//
//   MultipartParser form(*multipartBoundary(contentType), sink);
//   while (const size_t n = body.read(block)) form.feed({block, n});
//   form.finish();
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flott {

/// Gets the parts, one after the other.
class MultipartSink {
 public:
  virtual ~MultipartSink() = default;
  /// `file` is the name a client gives to a file, without folders; none: the part is a plain field.
  virtual void beginPart(const std::string& field, const std::optional<std::string>& file) = 0;
  virtual void partData(std::string_view bytes) = 0;
  virtual void endPart() = 0;
};

/// Nothing when the content type is not multipart/form-data. Throws Refusal{400} when it has no boundary.
std::optional<std::string> multipartBoundary(std::string_view contentType);

class MultipartParser {
 public:
  /// The sink outlives it.
  MultipartParser(const std::string& boundary, MultipartSink& sink)
      : delimiter_("\r\n--" + boundary), sink_(sink) {}

  /// Throws Refusal{400} for what is no form, and what the sink throws.
  void feed(std::string_view bytes);
  /// Throws Refusal{400} when the last part has not ended.
  void finish() const;

 private:
  enum class State : uint8_t {
    kPreamble,   // before the first delimiter
    kDelimiter,  // after one: another part, or the end
    kHeaders,    // of a part
    kData,       // of a part
    kEnd,        // what follows is of no interest
  };
  /// Whether it may go on.
  bool advance();
  bool advanceInData();
  void readHeaders(std::string_view headers);

  const std::string delimiter_;
  MultipartSink& sink_;
  State state_ = State::kPreamble;
  std::string pending_ = "\r\n";  // the first delimiter stands at the beginning of a line, too
  int parts_ = 0;
};

}  // namespace flott

#include "flott/base/error.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace flott {

std::string_view toString(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUser:
      return "user";
    case ErrorKind::kTransient:
      return "transient";
    case ErrorKind::kCorruption:
      return "corruption";
    case ErrorKind::kCancelled:
      return "cancelled";
    case ErrorKind::kBug:
      return "bug";
  }
  return "unknown";
}

Error::Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) { render(); }

Error& Error::at(std::string place) & {
  context_.push_back(std::move(place));
  render();
  return *this;
}

Error&& Error::at(std::string place) && { return std::move(at(std::move(place))); }

void Error::render() {
  what_.clear();
  for (auto place = context_.rbegin(); place != context_.rend(); ++place) what_ += *place + ": ";
  what_ += message_;
}

Error currentError() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ErrorKind::kTransient, "out of memory");
  } catch (const std::exception& error) {
    return Error(ErrorKind::kUser, error.what());
  } catch (...) {
    return Error(ErrorKind::kUser, "an exception that is not a std::exception");
  }
}

void checkFailed(const char* condition, const char* file, int line, const std::string& detail) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s%s%s\n", file, line, condition, detail.empty() ? "" : ": ",
               detail.c_str());
  std::abort();
}

}  // namespace flott

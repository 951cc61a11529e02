// The one exception of the engine, and the check that aborts.
//
// An Error ends an attempt of a job; its kind decides what happens next. It is thrown rarely and caught where
// a task takes a step, where an actor takes a message, and where foreign code calls us. Records that a policy
// rejects are values on a side output, never Errors. Any thread may throw one; an Error object is not shared.
//
//   throw Error(ErrorKind::kUser, "parallelism is 0: give a number from 1 to 32768").at("operator 'count'");
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace flott {

/// What went wrong decides what is done about it.
enum class ErrorKind : uint8_t {
  kUser,        // the program, its input or its configuration, as far as can be told
  kTransient,   // the world (network, disk, a peer): restart with back-off
  kCorruption,  // stored bytes are not what was written: stop and keep the evidence
  kCancelled,   // somebody asked to stop
  kBug,         // a broken promise inside the engine
};

std::string_view toString(ErrorKind kind);

/// Message says what happened and what to do; context says where, innermost first.
class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message);

  /// Adds a place, from the inside out: `.at("line 3").at("file 'a.csv'")`.
  Error& at(std::string place) &;
  Error&& at(std::string place) &&;

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  const std::vector<std::string>& context() const { return context_; }
  /// Outermost place first: "operator 'count', subtask 1/2: record 7: division by zero".
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  void render();

  ErrorKind kind_;
  std::string message_;
  std::vector<std::string> context_;
  std::string what_;
};

/// The exception being handled, as an Error: anything that is no Error becomes kUser with its what().
/// Call inside a catch block only.
Error currentError();

[[noreturn]] void checkFailed(const char* condition, const char* file, int line,
                              const std::string& detail = {});

}  // namespace flott

/// A broken invariant: prints the place and aborts. Always on. The optional second argument is a std::string.
#define FLOTT_CHECK(condition, ...)                                                    \
  do {                                                                                 \
    if (!(condition)) [[unlikely]]                                                     \
      ::flott::checkFailed(#condition, __FILE__, __LINE__ __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)

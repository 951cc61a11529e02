// Standard output and standard error, as print sinks and the command line need them.
//
// Any thread may write; a text handed over in one call is never mixed with another's, so whole lines (or
// many) go into one call. Nothing is buffered between calls. The simulation keeps what was written for the
// test to read.
//
//   env.console.out("(flott,3)\n");
#pragma once

#include <string_view>

namespace flott {

class Console {
 public:
  virtual ~Console() = default;
  /// Standard output. Throws Error(kTransient) when it cannot be written (a full disk, say).
  virtual void out(std::string_view text) = 0;
  /// Standard error. Same.
  virtual void err(std::string_view text) = 0;
  /// Whether a person is likely to look: standard output is a terminal.
  virtual bool isTerminal() const = 0;
};

}  // namespace flott

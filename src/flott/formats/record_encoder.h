// Records as bytes for a file or a stream: the counterpart of a decoder.
//
// An encoder never changes and is shared by all subtasks of a sink.
#pragma once

#include <memory>
#include <string>

#include "flott/data/print.h"
#include "flott/data/rows.h"

namespace flott {

class RecordEncoder {
 public:
  virtual ~RecordEncoder() = default;
  /// Appends what a file begins with.
  virtual void begin(std::string& /*out*/) const {}
  virtual void encode(const Batch& batch, std::string& out) const = 0;
};

/// Each record's text on a line: a string as it is, anything else as print() shows it.
template <typename T>
class LineEncoder final : public RecordEncoder {
 public:
  void append(const T& record, std::string& out) const {
    appendText(record, out);
    out += '\n';
  }
  void encode(const Batch& batch, std::string& out) const override {
    for (const T& record : batch.rows<T>()) append(record, out);
  }
};

}  // namespace flott

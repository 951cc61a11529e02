// Prints each record on a line: print() and printToErr().
//
// Lines begin as Flink's do: "2> " for the second of several subtasks, "clicks:2> " where the sink has an
// identifier, "clicks> " where there is one subtask only. All lines of a batch are written at once.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "flott/data/print.h"
#include "flott/operators/sink.h"

namespace flott {

enum class PrintTarget : uint8_t { kOut, kErr };

std::string printPrefix(const std::string& identifier, const OperatorInfo& info);
void printText(OperatorContext& context, PrintTarget target, const std::string& text);

template <typename T>
class PrintWriter final : public SinkWriter<T> {
 public:
  PrintWriter(std::string identifier, PrintTarget target) : prefix_(std::move(identifier)), target_(target) {}

  void open(OperatorContext& context) override {
    context_ = &context;
    prefix_ = printPrefix(prefix_, context.info());
  }
  void write(const T& value, const SinkContext&) override {
    text_ += prefix_;
    appendText(value, text_);
    text_ += '\n';
  }
  void endBatch() override {
    printText(*context_, target_, text_);
    text_.clear();
  }

 private:
  std::string prefix_;
  const PrintTarget target_;
  OperatorContext* context_ = nullptr;
  std::string text_;
};

template <typename T>
class PrintSink {
 public:
  explicit PrintSink(std::string identifier = {}, PrintTarget target = PrintTarget::kOut)
      : identifier_(std::move(identifier)), target_(target) {}
  std::unique_ptr<PrintWriter<T>> createWriter() const {
    return std::make_unique<PrintWriter<T>>(identifier_, target_);
  }

 private:
  std::string identifier_;
  PrintTarget target_;
};

}  // namespace flott

// Tests of single functions and operators: push records and time, read what comes out.
//
// A harness holds one parallel instance of one operator, run by the engine's own chain of operators, on the
// test's thread, under a simulated clock. What it shall test is said as in a program, by a function from the
// input stream to the output stream; it may be anything that adds one operator: map, flatMap, process,
// keyBy(…).process(…), keyBy(…).sum(…), window aggregations, connect(…).process(…), transform(…) with an
// operator of your own.
//
//   TEST(Dedup, LetsTheFirstClickOfEachUserThrough) {
//     inAllModes([](const HarnessOptions& options) {
//       OneInputHarness<Click, Click> harness(options, [](const DataStream<Click>& clicks) {
//         return clicks.keyBy(&Click::user).process(Dedup());
//       });
//       harness.pushBatch({{"ann", "/a"}, {"bob", "/a"}, {"ann", "/b"}});
//       EXPECT_EQ(harness.output(), (std::vector<Click>{{"ann", "/a"}, {"bob", "/a"}}));
//
//       harness.advance(1h);  // processing time; timers that are due fire on the way
//       harness.push({"ann", "/c"}, 5000);
//       harness.watermark(6000);
//       EXPECT_EQ(harness.takeEvents().back(), "watermark 6000");
//     });
//   }
//
// The same case must give the same output in every mode: with rows in one batch or each in its own, and with
// an output that is full after each batch, so that the operator has to stop in the middle and go on later.
// inAllModes() runs a case in each of them.
//
// Everything happens inside the calls: when push() returns, the operator has nothing more to do but to wait
// for input or time. Off-loaded work runs in the call that started it, on the same thread. What the function
// throws comes out of the call as an Error that names operator and record. The operator is opened by the
// first call and closed by endOfInput() or by the harness's end.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "flott/api/data_stream.h"
#include "flott/api/keyed_stream.h"
#include "flott/api/process.h"
#include "flott/env/simulated.h"
#include "flott/operators/side_output.h"

namespace flott {

enum class HarnessMode : uint8_t {
  kRowsTogether,  // pushBatch() is one batch
  kRowsSingly,    // pushBatch() is a batch for each record
  kNarrowOutput,  // as kRowsTogether; the output is full after each batch
};

struct HarnessOptions {
  HarnessMode mode = HarnessMode::kRowsTogether;
  /// Batches after which the output is full until the operator has returned; 0: never.
  size_t outputCapacity = 0;
  Configuration configuration = {};
};

/// run(options) for each mode. A failing expectation is reported with the mode where the test prints it.
template <typename Case>
void inAllModes(Case&& run) {
  run(HarnessOptions{.mode = HarnessMode::kRowsTogether});
  run(HarnessOptions{.mode = HarnessMode::kRowsSingly});
  run(HarnessOptions{.mode = HarnessMode::kNarrowOutput, .outputCapacity = 1});
}

namespace internal {

/// What harnesses of all record types share.
class HarnessCore {
 public:
  HarnessCore(HarnessOptions options, int inputs);
  ~HarnessCore();

  /// A stream for the input, to build the operator on.
  StreamHandle input(int number) const;
  /// The operator was added to the program. Throws Error(kUser) unless it is exactly one.
  void built();
  /// Before the operator is opened.
  void read(SideOutputIndex side);

  BatchPools& pools();
  bool rowsSingly() const { return options_.mode == HarnessMode::kRowsSingly; }
  void deliver(int input, Element element);
  void endOfInput(int input);
  void advance(Duration by);
  Timestamp now() const;
  /// What an output got so far, in order.
  const std::vector<Element>& elements(SideOutputIndex side);
  void clear();
  const MetricGroup& metrics();
  const Accumulators& accumulators();
  SimulatedEnv& sim();

 private:
  struct State;

  const HarnessOptions options_;
  const int inputs_;
  const std::shared_ptr<Program> program_;
  const std::unique_ptr<State> state_;
};

/// "7 @ 100", "watermark 200", "idle", "active", "end".
std::vector<std::string> eventTexts(const std::vector<Element>& elements);

template <typename T>
std::vector<T> recordsOf(const std::vector<Element>& elements) {
  std::vector<T> records;
  for (const Element& element : elements) {
    if (const Batch* batch = std::get_if<Batch>(&element)) {
      const Rows<T>& rows = batch->rows<T>();
      records.insert(records.end(), rows.begin(), rows.end());
    }
  }
  return records;
}

}  // namespace internal

/// One input of the operator under test.
template <typename T>
class HarnessInput {
 public:
  HarnessInput(internal::HarnessCore& core, int number) : harness_(core), number_(number) {}

  void push(const T& record) { deliver({record}, {}); }
  /// Event time in milliseconds since the epoch.
  void push(const T& record, int64_t timestamp) { deliver({record}, {timestamp}); }
  void pushBatch(const std::vector<T>& records) { pushRows(records, {}); }
  /// Records with their event times.
  void pushStamped(const std::vector<std::pair<T, int64_t>>& stamped) {
    std::vector<T> records;
    std::vector<int64_t> timestamps;
    for (const auto& [record, timestamp] : stamped) {
      records.push_back(record);
      timestamps.push_back(timestamp);
    }
    pushRows(records, timestamps);
  }
  void watermark(int64_t time) { harness_.deliver(number_, Watermark{Timestamp(time)}); }
  void idle() { harness_.deliver(number_, WatermarkStatus{false}); }
  void active() { harness_.deliver(number_, WatermarkStatus{true}); }
  /// The last watermark and the end, as a source that is through.
  void endOfInput() { harness_.endOfInput(number_); }

 private:
  void pushRows(const std::vector<T>& records, const std::vector<int64_t>& timestamps) {
    if (!harness_.rowsSingly()) return deliver(records, timestamps);
    for (size_t i = 0; i < records.size(); ++i)
      deliver({records[i]}, timestamps.empty() ? timestamps : std::vector<int64_t>{timestamps[i]});
  }
  void deliver(const std::vector<T>& records, const std::vector<int64_t>& timestamps) {
    Batch batch = rowsPool<T>(harness_.pools()).acquire();
    Rows<T>& rows = batch.rows<T>();
    rows.reserve(records.size());
    for (const T& record : records) rows.emplace(record);
    if (!timestamps.empty()) std::copy(timestamps.begin(), timestamps.end(), rows.enableTimestamps());
    harness_.deliver(number_, std::move(batch));
  }

  internal::HarnessCore& harness_;
  int number_;
};

/// The part that does not depend on the inputs.
template <typename Out>
class OperatorHarness {
 public:
  /// All records put out since the beginning, or since the last takeEvents().
  std::vector<Out> output() { return internal::recordsOf<Out>(core_.elements(kMain)); }
  /// Records, watermarks and the like in order, as texts; forgets them, those of side outputs too.
  std::vector<std::string> takeEvents() {
    std::vector<std::string> texts = internal::eventTexts(core_.elements(kMain));
    core_.clear();
    return texts;
  }
  /// Somebody reads this side output. Before anything is pushed.
  template <typename U>
  void readSideOutput(const OutputTag<U>& tag) {
    core_.read(tag.index());
  }
  template <typename U>
  std::vector<U> sideOutput(const OutputTag<U>& tag) {
    return internal::recordsOf<U>(core_.elements(tag.index()));
  }

  /// Processing time; it stops at every alarm on the way.
  void advance(Duration by) { core_.advance(by); }
  Timestamp processingTime() const { return core_.now(); }
  /// Value of a counter of the function; 0 when there is none of that name.
  int64_t counter(const std::string& name) { return core_.metrics().count(name); }
  const Accumulators& accumulators() { return core_.accumulators(); }
  /// Files, network, console and log of the harness's world.
  SimulatedEnv& sim() { return core_.sim(); }

 protected:
  OperatorHarness(HarnessOptions options, int inputs) : core_(std::move(options), inputs) {}

  static constexpr SideOutputIndex kMain{-1};
  internal::HarnessCore core_;
};

/// build(const DataStream<In>&) returns the stream that the operator puts out.
template <typename In, typename Out>
class OneInputHarness : public OperatorHarness<Out>, public HarnessInput<In> {
 public:
  template <typename Build>
  OneInputHarness(HarnessOptions options, Build&& build)
      : OperatorHarness<Out>(std::move(options), 1), HarnessInput<In>(this->core_, 0) {
    const DataStream<Out> result = build(DataStream<In>(this->core_.input(0)));
    this->core_.built();
  }
};

/// build(const DataStream<In1>&, const DataStream<In2>&) returns the stream that the operator puts out.
template <typename In1, typename In2, typename Out>
class TwoInputHarness : public OperatorHarness<Out> {
 public:
  template <typename Build>
  TwoInputHarness(HarnessOptions options, Build&& build)
      : OperatorHarness<Out>(std::move(options), 2), first_(this->core_, 0), second_(this->core_, 1) {
    const DataStream<Out> result =
        build(DataStream<In1>(this->core_.input(0)), DataStream<In2>(this->core_.input(1)));
    this->core_.built();
  }
  HarnessInput<In1>& first() { return first_; }
  HarnessInput<In2>& second() { return second_; }

 private:
  HarnessInput<In1> first_;
  HarnessInput<In2> second_;
};

}  // namespace flott

// Watermark generators: what watches the timestamps of a stream and says how far event time has come.
//
// A generator is any class with
//
//   void onEvent(const T& record, Timestamp timestamp, WatermarkOutput& output);   // after each record
//   void onPeriodicEmit(WatermarkOutput& output);            // every pipeline.auto-watermark-interval
//
// A watermark put out in onEvent stands right behind that record, whatever the batches are. Those that need
// no more than the latest timestamp (the built-in ones) have onTimestamps(Timestamp latest) in place of
// onEvent, called once for any number of records. Each subtask has a copy of its own, used on the task's
// thread.
//
//   struct AfterEachCommit {                                               // punctuated
//     void onEvent(const Change& change, Timestamp at, WatermarkOutput& output) {
//       if (change.commits) output.emitWatermark({at});
//     }
//     void onPeriodicEmit(WatermarkOutput&) {}
//   };
#pragma once

#include "flott/base/time.h"
#include "flott/data/element.h"
#include "flott/operators/operator.h"

namespace flott {

/// Takes what a generator wants and hands it on in order.
class WatermarkOutput {
 public:
  /// No record with this timestamp or an earlier one is to be expected. Ignored unless it is later than all
  /// before. Ends idleness.
  void emitWatermark(Watermark watermark) {
    if (watermark <= wanted_) return;
    wanted_ = watermark;
    wantActive_ = true;
  }
  /// Nobody is to wait for this stream until the next watermark or markActive().
  void markIdle() { wantActive_ = false; }
  void markActive() { wantActive_ = true; }

  // What follows is for the operator.

  bool changed() const { return wanted_ != emitted_ || wantActive_ != active_; }
  Watermark emitted() const { return emitted_; }
  Watermark wanted() const { return wanted_; }
  bool wantsActive() const { return wantActive_; }
  bool active() const { return active_; }
  void emitTo(Output& output) {
    if (wanted_ != emitted_) {
      setActive(true, output);
      emitted_ = wanted_;
      output.emitWatermark(emitted_);
    }
    setActive(wantActive_, output);
  }

 private:
  void setActive(bool active, Output& output) {
    if (active == active_) return;
    active_ = active;
    output.emitStatus({active});
  }

  Watermark wanted_;
  Watermark emitted_;
  bool wantActive_ = true;
  bool active_ = true;
};

/// Records come at most `delay` after later ones: the watermark is the latest timestamp − delay − 1 ms.
/// Without delay the timestamps are monotonous.
class BoundedOutOfOrderness {
 public:
  /// Throws Error(kUser) for a negative delay.
  explicit BoundedOutOfOrderness(Duration delay);

  void onTimestamps(Timestamp latest) {
    if (latest > latest_) latest_ = latest;
  }
  void onPeriodicEmit(WatermarkOutput& output) const { output.emitWatermark({latest_ - delay_}); }

 private:
  Duration delay_;  // with the 1 ms
  Timestamp latest_;
};

class NoWatermarks {
 public:
  void onTimestamps(Timestamp) {}
  void onPeriodicEmit(WatermarkOutput&) const {}
};

}  // namespace flott

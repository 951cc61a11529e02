// Side outputs: further streams of an operator, of types of their own, beside its main one.
//
// An OutputTag names such a stream and says its type. A process function puts records out under a tag, and
// getSideOutput(tag) of the stream that process(…) returned gives them. The number under which batches travel
// is made from the tag's name alone, so that every process of a job finds the same. Tags are values that any
// thread may copy; SideOutputs belongs to one operator instance and is used on its task's thread.
//
//   const OutputTag<Click> kLate("late");
//   … ctx.output(kLate, click); …
//   DataStream<Click> late = counted.getSideOutput(kLate);
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "flott/base/hash.h"
#include "flott/base/types.h"
#include "flott/data/describe.h"
#include "flott/operators/collector.h"

namespace flott {

[[noreturn]] void throwSideOutputWithoutName();
[[noreturn]] void throwSideOutputTypes(const std::string& name, const std::string& first,
                                       const std::string& second);
[[noreturn]] void throwSideOutputNames(const std::string& first, const std::string& second);

template <typename T>
class OutputTag {
 public:
  using Record = T;

  /// Throws Error(kUser) when the name is empty.
  explicit OutputTag(std::string name) : name_(std::move(name)), id_(hashBytes(name_)) {
    static_assert(requireEncodable<T>());
    if (name_.empty()) throwSideOutputWithoutName();
  }

  const std::string& name() const { return name_; }
  uint64_t id() const { return id_; }
  /// 31 bits of the id. Two names that meet here cannot be used at one operator; that is checked.
  SideOutputIndex index() const { return SideOutputIndex(static_cast<int32_t>(id_ >> 33)); }

 private:
  std::string name_;
  uint64_t id_;
};

/// The side outputs of one operator instance, found at first use of each tag. emit() compares numbers only,
/// and does nothing for a side output that nobody reads.
class SideOutputs {
 public:
  SideOutputs() = default;
  SideOutputs(const SideOutputs&) = delete;
  SideOutputs& operator=(const SideOutputs&) = delete;

  void open(BatchPools& pools) { pools_ = &pools; }
  /// Records of this call go to `output`, which may have room again, with timestamps if `stamped`.
  void start(Output& output, bool stamped);
  void setTimestamp(int64_t timestamp) { timestamp_ = timestamp; }
  /// A batch was handed on and the output is full since.
  bool full() const { return full_; }
  void flush();

  /// Throws Error(kUser) when the tag's name was used with another type, or its number by another name.
  template <typename T, typename V>
  void emit(const OutputTag<T>& tag, V&& value) {
    Side* side = find(tag.id(), &kRowsTag<T>);
    if (side == nullptr) [[unlikely]]
      side = &add(tag);
    if (side->open == nullptr) return;
    Collector<T>& collector = static_cast<OpenRows<T>&>(*side->open).collector;
    collector.setTimestamp(timestamp_);
    collector.collect(std::forward<V>(value));
    full_ |= collector.full();
  }

 private:
  struct OpenBatch {
    virtual ~OpenBatch() = default;
    virtual void start(Output& output, bool stamped) = 0;
    virtual void flush() = 0;
  };
  template <typename T>
  struct OpenRows final : OpenBatch {
    void start(Output& output, bool stamped) override {
      collector.start(output, stamped);
      collector.clearFull();
    }
    void flush() override { collector.flush(); }
    Collector<T> collector;
  };
  struct Side {
    uint64_t id;
    BatchTypeTag type;
    SideOutputIndex index;
    std::string name;
    const TypeDescription* description;
    std::unique_ptr<OpenBatch> open;  // null: nobody reads it
  };

  Side* find(uint64_t id, BatchTypeTag type) {
    for (Side& side : sides_) {
      if (side.id == id && side.type == type) return &side;
    }
    return nullptr;
  }
  template <typename T>
  Side& add(const OutputTag<T>& tag) {
    std::unique_ptr<OpenBatch> open;
    if (output_->reads(tag.index())) {
      auto rows = std::make_unique<OpenRows<T>>();
      rows->collector.open(*pools_, tag.index());
      rows->start(*output_, stamped_);
      open = std::move(rows);
    }
    return add(Side{tag.id(), &kRowsTag<T>, tag.index(), tag.name(), &describe<T>(), std::move(open)});
  }
  Side& add(Side side);

  std::vector<Side> sides_;
  BatchPools* pools_ = nullptr;
  Output* output_ = nullptr;
  int64_t timestamp_ = 0;
  bool stamped_ = false;
  bool full_ = false;
};

}  // namespace flott

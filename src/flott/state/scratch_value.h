// A value of a type known by its TypeOps only, outside a table: a decoded key, the key of a timer that fires.
//
// Like a variable of that type: owned by one scope or object, used on one thread.
#pragma once

#include <cstddef>
#include <new>

#include "flott/data/type_ops.h"

namespace flott {

class ScratchValue {
 public:
  explicit ScratchValue(const TypeOps& ops) : ops_(ops), memory_(::operator new(ops.size, align())) {
    try {
      ops_.defaultConstruct(memory_);
    } catch (...) {
      ::operator delete(memory_, align());
      throw;
    }
    alive_ = true;
  }
  ~ScratchValue() {
    if (alive_) ops_.destroy(memory_);
    ::operator delete(memory_, align());
  }
  ScratchValue(const ScratchValue&) = delete;
  ScratchValue& operator=(const ScratchValue&) = delete;

  /// A copy of `from`. When copying throws there is no value until the next assign().
  void assign(const void* from) {
    if (alive_) ops_.destroy(memory_);
    alive_ = false;
    ops_.copyConstruct(memory_, from);
    alive_ = true;
  }
  void* get() { return memory_; }

 private:
  std::align_val_t align() const { return std::align_val_t{ops_.align}; }

  const TypeOps& ops_;
  void* memory_;
  bool alive_ = false;
};

}  // namespace flott

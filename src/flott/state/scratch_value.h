// A value of a type known by its TypeOps only, outside a table: a decoded key, the key of a timer that fires.
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
  }
  ~ScratchValue() {
    ops_.destroy(memory_);
    ::operator delete(memory_, align());
  }
  ScratchValue(const ScratchValue&) = delete;
  ScratchValue& operator=(const ScratchValue&) = delete;

  void* get() { return memory_; }
  const void* get() const { return memory_; }

 private:
  std::align_val_t align() const { return std::align_val_t{ops_.align}; }

  const TypeOps& ops_;
  void* memory_;
};

}  // namespace flott

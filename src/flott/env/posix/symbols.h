// Which function an address of this process belongs to, found without allocating and without a lock: in the
// symbol table of the program's or library's file, for a process that has crashed.
//
// One thread uses it. It maps files and never unmaps the last: the process is about to end.
#pragma once

#include <cstddef>
#include <cstdint>

namespace flott::posix {

/// Names live until the next call of find().
struct Symbol {
  const char* module = nullptr;  // path of the file; null: no code is there
  uintptr_t offset = 0;          // of the address in it, as addr2line takes it
  const char* name = nullptr;    // as the compiler made it; null: the file has none for it
  uintptr_t into = 0;            // bytes from the function's beginning
};

class Symbols {
 public:
  /// `program` is the path of this process's own file, and outlives the object.
  explicit Symbols(const char* program) : program_(program) {}
  Symbol find(uintptr_t address);

 private:
  void map(const char* path);
  void findIn(uintptr_t offset, Symbol& symbol) const;

  const char* const program_;
  const char* mappedPath_ = nullptr;
  const unsigned char* file_ = nullptr;
  size_t size_ = 0;
};

}  // namespace flott::posix

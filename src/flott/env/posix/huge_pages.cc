#include "flott/env/huge_pages.h"

#include <sys/mman.h>

namespace flott {

void preferHugePages(void* memory, size_t bytes) noexcept {
  ::madvise(memory, bytes, MADV_HUGEPAGE);  // advice: small pages do as well
}

}  // namespace flott

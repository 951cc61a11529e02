#include "flott/env/posix/symbols.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <initializer_list>

namespace flott::posix {
namespace {

/// A part of the file, or null when the file is shorter than it says.
template <typename T>
const T* within(const unsigned char* file, size_t size, size_t offset, size_t count) {
  if (offset > size || count > (size - offset) / sizeof(T) || offset % alignof(T) != 0) return nullptr;
  return reinterpret_cast<const T*>(file + offset);
}

}  // namespace

Symbol Symbols::find(uintptr_t address) {
  Symbol symbol;
  dl_find_object found;
  // Needs no lock, unlike dladdr().
  if (::_dl_find_object(reinterpret_cast<void*>(address), &found) != 0) return symbol;
  const link_map* const object = found.dlfo_link_map;
  const bool own = object->l_name == nullptr || object->l_name[0] == '\0';
  symbol.module = own ? program_ : object->l_name;
  symbol.offset = address - object->l_addr;
  map(symbol.module);
  if (file_ != nullptr) findIn(symbol.offset, symbol);
  return symbol;
}

void Symbols::map(const char* path) {
  if (path == mappedPath_) return;
  if (file_ != nullptr) ::munmap(const_cast<unsigned char*>(file_), size_);
  file_ = nullptr;
  mappedPath_ = path;
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  struct stat status {};
  if (::fstat(file, &status) == 0 && status.st_size > 0) {
    size_ = static_cast<size_t>(status.st_size);
    void* const memory = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    if (memory != MAP_FAILED) file_ = static_cast<const unsigned char*>(memory);
  }
  ::close(file);
}

// All symbols of the process, or of a stripped file those that others may use.
void Symbols::findIn(uintptr_t offset, Symbol& symbol) const {
  const auto* header = within<Elf64_Ehdr>(file_, size_, 0, 1);
  if (header == nullptr || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_shentsize != sizeof(Elf64_Shdr))
    return;
  const auto* sections = within<Elf64_Shdr>(file_, size_, header->e_shoff, header->e_shnum);
  if (sections == nullptr) return;
  for (const unsigned kind : {SHT_SYMTAB, SHT_DYNSYM}) {
    for (size_t i = 0; i < header->e_shnum; ++i) {
      const Elf64_Shdr& table = sections[i];
      if (table.sh_type != kind || table.sh_link >= header->e_shnum) continue;
      const Elf64_Shdr& names = sections[table.sh_link];
      const size_t count = table.sh_size / sizeof(Elf64_Sym);
      const auto* symbols = within<Elf64_Sym>(file_, size_, table.sh_offset, count);
      const char* text = within<char>(file_, size_, names.sh_offset, names.sh_size);
      if (symbols == nullptr || text == nullptr || names.sh_size == 0 || text[names.sh_size - 1] != '\0')
        continue;
      for (size_t s = 0; s < count; ++s) {
        const Elf64_Sym& known = symbols[s];
        if (ELF64_ST_TYPE(known.st_info) != STT_FUNC || known.st_shndx == SHN_UNDEF ||
            known.st_name >= names.sh_size || offset < known.st_value ||
            offset - known.st_value >= known.st_size)
          continue;
        symbol.name = text + known.st_name;
        symbol.into = offset - known.st_value;
        return;
      }
    }
  }
}

}  // namespace flott::posix

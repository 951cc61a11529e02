#include "flott/env/executables.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "flott/base/error.h"
#include "flott/env/failures.h"
#include "flott/env/posix/parts.h"

namespace flott {
namespace {

using posix::Descriptor;
using posix::retried;

constexpr uint16_t kThisMachine =
#if defined(__x86_64__)
    EM_X86_64;
#elif defined(__aarch64__)
    EM_AARCH64;
#else
    EM_NONE;
#endif

std::string nameOf(uint16_t machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_AARCH64:
      return "arm64";
    case EM_386:
      return "x86";
    case EM_ARM:
      return "arm";
    case EM_RISCV:
      return "riscv";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return "s390";
    default:
      return "machine " + std::to_string(machine) + " of ELF";
  }
}

Descriptor openToRead(const std::string& path) {
  Descriptor file(retried([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (file.number() < 0) throw fileError(FileDeed::kRead, path, errno);
  return file;
}

}  // namespace

std::string thisMachine() { return nameOf(kThisMachine); }

ProgramHeader readProgramHeader(const std::string& path) {
  const Descriptor file = openToRead(path);
  ProgramHeader header;
  Elf64_Ehdr elf{};
  const ssize_t n = retried([&] { return ::pread(file.number(), &elf, sizeof elf, 0); });
  if (n < 0) throw fileError(FileDeed::kRead, path, errno);
  if (n >= 2 && std::memcmp(&elf, "#!", 2) == 0) {
    header.kind = ProgramHeader::Kind::kScript;
    header.forThisMachine = true;
    return header;
  }
  if (n < static_cast<ssize_t>(sizeof elf) || std::memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0) return header;
  if (elf.e_type != ET_EXEC && elf.e_type != ET_DYN) return header;
  header.kind = ProgramHeader::Kind::kProgram;
  header.machine = nameOf(elf.e_machine);
  header.forThisMachine = elf.e_machine == kThisMachine && elf.e_ident[EI_CLASS] == ELFCLASS64;
  if (!header.forThisMachine || elf.e_phentsize != sizeof(Elf64_Phdr)) return header;
  std::vector<Elf64_Phdr> parts(elf.e_phnum);
  const size_t bytes = parts.size() * sizeof(Elf64_Phdr);
  if (retried([&] { return ::pread(file.number(), parts.data(), bytes, static_cast<off_t>(elf.e_phoff)); }) !=
      static_cast<ssize_t>(bytes))
    return header;
  for (const Elf64_Phdr& part : parts)
    header.loadsLibraries = header.loadsLibraries || part.p_type == PT_INTERP;
  return header;
}

void makeExecutable(const std::string& from, const std::string& to) {
  constexpr mode_t kMode = 0755;
  if (::unlink(to.c_str()) != 0 && errno != ENOENT) throw fileError(FileDeed::kWrite, to, errno);
  if (::link(from.c_str(), to.c_str()) == 0) {
    if (::chmod(to.c_str(), kMode) != 0) throw fileError(FileDeed::kWrite, to, errno);
    return;
  }
  const Descriptor in = openToRead(from);
  const Descriptor out(
      retried([&] { return ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode); }));
  if (out.number() < 0) throw fileError(FileDeed::kWrite, to, errno);
  for (;;) {
    const ssize_t n =
        retried([&] { return ::sendfile(out.number(), in.number(), nullptr, size_t{1} << 24); });
    if (n < 0) throw fileError(FileDeed::kWrite, to, errno);
    if (n == 0) return;
  }
}

}  // namespace flott

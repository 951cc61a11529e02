#include "flott/master/program_role.h"

#include "flott/base/bytes.h"
#include "flott/base/error.h"
#include "flott/data/codec.h"

namespace flott {
namespace {

constexpr uint32_t kMagic = 0x4c'52'4c'46;  // "FLRL"

template <typename T>
std::string versioned(const T& value) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(kMagic);
  out.varint(ProgramRole::kVersion);
  Codec<T>::encode(value, out);
  return bytes;
}

template <typename T>
T fromVersioned(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.fixed<uint32_t>() != kMagic) in.fail("is nothing that Flott and its programs say to each other");
  const uint64_t version = in.varint();
  if (version != ProgramRole::kVersion) {
    throw Error(ErrorKind::kUser,
                "the other side is of version " + std::to_string(version) +
                    " of what Flott and its programs say to each other, this one of version " +
                    std::to_string(ProgramRole::kVersion) +
                    ": build the program with the Flott that is to run it");
  }
  T value;
  Codec<T>::decode(in, value);
  if (!in.atEnd()) in.fail("has bytes left over");
  return value;
}

}  // namespace

std::string logFileOf(const std::string& file, const std::string& part) {
  if (file.empty()) return file;
  const size_t name = file.rfind('/') == std::string::npos ? 0 : file.rfind('/') + 1;
  const size_t dot = file.rfind('.');
  const size_t end = dot == std::string::npos || dot <= name ? file.size() : dot;
  return file.substr(0, end) + "-" + part + file.substr(end);
}

std::string ProgramRole::encode() const { return versioned(*this); }
ProgramRole ProgramRole::decode(std::string_view bytes) { return fromVersioned<ProgramRole>(bytes); }
std::string MasterAnswer::encode() const { return versioned(*this); }
MasterAnswer MasterAnswer::decode(std::string_view bytes) { return fromVersioned<MasterAnswer>(bytes); }
std::string ProgramPlan::encode() const { return versioned(*this); }
ProgramPlan ProgramPlan::decode(std::string_view bytes) { return fromVersioned<ProgramPlan>(bytes); }

}  // namespace flott

#include "flott/state/cold/cold_image.h"

#include "flott/base/bytes.h"
#include "flott/state/format_version.h"

namespace flott {
namespace {

constexpr uint32_t kImageMagic = 0x49'43'4c'46;  // "FLCI"
constexpr uint32_t kImageVersion = 1;

}  // namespace

std::string ColdImage::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(kImageMagic);
  out.varint(kImageVersion);
  out.string(manifestName);
  out.string(manifest);
  out.varint(states.size());
  for (const State& state : states) {
    out.string(state.schema.name);
    out.string(state.schema.kind);
    state.schema.value.encode(out);
    out.fixed(static_cast<uint8_t>(state.schema.expires));
    out.varint(state.number);
    out.varint(state.entries.size());
    for (const auto& [nameSpace, count] : state.entries) {
      out.fixed(nameSpace);
      out.varint(count);
    }
  }
  return bytes;
}

ColdImage ColdImage::decode(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.fixed<uint32_t>() != kImageMagic) in.fail("is no description of state on disk");
  const uint64_t version = in.varint();
  if (version > kImageVersion) failNewerFormat("state on disk", version, kImageVersion);
  ColdImage image;
  image.manifestName = in.string();
  if (image.manifestName.find('/') != std::string::npos) in.fail("names no file");
  image.manifest = in.string();
  image.states.resize(in.count(6));
  for (State& state : image.states) {
    state.schema.name = in.string();
    state.schema.kind = in.string();
    state.schema.value = TypeDescription::decode(in);
    state.schema.expires = in.fixed<uint8_t>() != 0;
    const uint64_t number = in.varint();
    if (number >= 0xffff) in.fail("has a state with a number that none has");
    state.number = static_cast<uint16_t>(number);
    for (size_t left = in.count(9); left > 0; --left) {
      const auto nameSpace = in.fixed<int64_t>();
      state.entries[nameSpace] = in.varint();
    }
  }
  if (!in.atEnd()) in.fail("has bytes left over");
  return image;
}

}  // namespace flott

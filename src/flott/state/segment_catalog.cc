#include "flott/state/segment_catalog.h"

#include <algorithm>
#include <numeric>

#include "flott/base/bytes.h"
#include "flott/base/error.h"
#include "flott/state/format_version.h"

namespace flott {
namespace {

constexpr uint32_t kMagic = 0x53'53'4c'46;  // "FLSS"
constexpr uint32_t kCatalogVersion = 1;
// That a section refers to: with more of them the smaller half is written anew, as one.
constexpr size_t kMostFiles = 16;

}  // namespace

std::string SharedSection::encode() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(kMagic);
  out.varint(kCatalogVersion);
  out.string(header);
  out.varint(stretches.size());
  for (const Stretch& stretch : stretches) {
    out.varint(stretch.file);
    out.varint(stretch.offset);
    out.varint(stretch.length);
  }
  return bytes;
}

SharedSection SharedSection::decode(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.fixed<uint32_t>() != kMagic) in.fail("is no keyed state in shared files");
  const uint64_t version = in.varint();
  if (version > kCatalogVersion) failNewerFormat("keyed state in shared files", version, kCatalogVersion);
  SharedSection section;
  section.header = in.string();
  section.stretches.resize(in.count(3));
  const Stretch* before = nullptr;
  for (Stretch& stretch : section.stretches) {
    stretch.file = static_cast<uint32_t>(in.varint());
    stretch.offset = in.varint();
    stretch.length = in.varint();
    if (before != nullptr &&
        (stretch.file < before->file ||
         (stretch.file == before->file && stretch.offset < before->offset + before->length)))
      in.fail("has stretches that are not in order");
    before = &stretch;
  }
  if (!in.atEnd()) in.fail("has bytes left over");
  return section;
}

void readSharedSection(CheckpointStorage& storage, const std::string& folder, const ColdSnapshot& stored,
                       MoveFunction<void(std::string_view)> take) {
  const SharedSection section = SharedSection::decode(storage.read(folder, stored.image));
  take(section.header);
  auto next = section.stretches.begin();
  for (size_t i = 0; i < stored.files.size(); ++i) {
    uint64_t at = 0;
    storage.readShared(folder, stored.files[i], [&](std::string_view part) {
      const uint64_t end = at + part.size();
      for (; next != section.stretches.end() && next->file == i && next->offset < end; ++next) {
        const uint64_t from = std::max(next->offset, at);
        const uint64_t to = std::min(next->offset + next->length, end);
        take(part.substr(from - at, to - from));
        if (to == end) break;  // it may go on in the next part
      }
      at = end;
    });
    while (next != section.stretches.end() && next->file == i && next->offset + next->length <= at) ++next;
  }
  if (next != section.stretches.end()) {
    throw Error(ErrorKind::kCorruption, "keyed state in the shared files of '" + folder +
                                            "' has a stretch that is in none of them. Restore from another "
                                            "checkpoint");
  }
}

SegmentCatalog::SegmentCatalog(uint64_t cut, std::string header, const SegmentCatalog* base)
    : cut_(cut), header_(std::move(header)) {
  if (base == nullptr) return;
  files_ = base->files_;
  const std::vector<uint64_t> needed = base->bytesByFile();
  givenUp_.resize(files_.size());
  for (size_t i = 0; i < files_.size(); ++i) givenUp_[i] = needed[i] * 2 < files_[i].length;
  if (files_.size() < kMostFiles) return;
  std::vector<size_t> smallest(files_.size());
  std::iota(smallest.begin(), smallest.end(), size_t{0});
  std::sort(smallest.begin(), smallest.end(), [&](size_t a, size_t b) { return needed[a] < needed[b]; });
  for (size_t i = 0; i < smallest.size() / 2; ++i) givenUp_[smallest[i]] = true;
}

std::vector<uint64_t> SegmentCatalog::bytesByFile() const {
  std::vector<uint64_t> bytes(files_.size());
  for (const auto& [id, place] : places_) bytes[place.file] += place.length;
  return bytes;
}

void SegmentCatalog::add(const Id& id, uint64_t bytes) {
  places_[id] = {static_cast<uint32_t>(files_.size()), writtenBytes_, bytes};
  writtenBytes_ += bytes;
}

bool SegmentCatalog::keep(const SegmentCatalog& base, const Id& id, uint64_t changed) {
  if (changed >= base.cut_) return false;
  const auto found = base.places_.find(id);
  if (found == base.places_.end() || givenUp_[found->second.file]) return false;
  places_.insert(*found);
  keptBytes_ += found->second.length;
  return true;
}

void SegmentCatalog::finish(const SharedFile* written) {
  wrote_ = written != nullptr;
  if (wrote_) files_.push_back(*written);
  std::vector<uint64_t> needed = bytesByFile();
  if (wrote_) needed.back() = written->length;
  std::vector<uint32_t> now(files_.size());
  std::vector<SharedFile> kept;
  for (size_t i = 0; i < files_.size(); ++i) {
    now[i] = static_cast<uint32_t>(kept.size());
    if (needed[i] > 0) kept.push_back(std::move(files_[i]));
  }
  files_ = std::move(kept);
  for (auto& [id, place] : places_) place.file = now[place.file];
}

SharedSection SegmentCatalog::section() const {
  SharedSection section{.header = header_, .stretches = {}};
  std::vector<SharedSection::Stretch>& all = section.stretches;
  const size_t whole = wrote_ ? files_.size() - 1 : files_.size();
  for (const auto& [id, place] : places_) {
    if (place.file < whole) all.push_back({place.file, place.offset, place.length});
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a.file != b.file ? a.file < b.file : a.offset < b.offset;
  });
  size_t used = 0;
  for (const SharedSection::Stretch& stretch : all) {
    SharedSection::Stretch* last = used > 0 ? &all[used - 1] : nullptr;
    if (last != nullptr && last->file == stretch.file && last->offset + last->length == stretch.offset) {
      last->length += stretch.length;
    } else {
      all[used++] = stretch;
    }
  }
  all.resize(used);
  if (wrote_) all.push_back({static_cast<uint32_t>(whole), 0, files_.back().length});
  return section;
}

}  // namespace flott

#include "flott/runtime/chain_cut.h"

#include <limits>
#include <utility>

#include "flott/state/keyed_backend.h"

namespace flott {

ChainCut::ChainCut(const Barrier& barrier, size_t operators, SegmentCatalogs bases)
    : bases_(std::move(bases)), keyed_(operators), missing_(operators) {
  bases_.resize(operators);
  snapshot_.barrier = barrier;
  snapshot_.operators.resize(operators);
}

ChainCut::~ChainCut() = default;
ChainCut::ChainCut(ChainCut&&) noexcept = default;
ChainCut& ChainCut::operator=(ChainCut&&) noexcept = default;

void ChainCut::add(size_t index, OperatorId id, KeyedStateBackend* keyed, std::string operatorState,
                   bool unionList) {
  snapshot_.operators[index].id = id;
  snapshot_.operators[index].operatorState = std::move(operatorState);
  snapshot_.operators[index].unionList = unionList;
  --missing_;
  if (keyed == nullptr) return;
  const SharedCheckpointProperties& properties = snapshot_.barrier.properties;
  std::optional<KeyedSnapshotWriter::Sharing> sharing;
  if (properties != nullptr && properties->incremental)
    sharing = KeyedSnapshotWriter::Sharing{std::move(bases_[index])};
  keyed_[index] = {keyed, std::make_unique<KeyedSnapshotWriter>(*keyed, std::move(sharing))};
  snapshot_.operators[index].files = keyed_[index].writer->takeFiles();
  ++encoding_;
}

bool ChainCut::encodeSome(size_t budgetBytes) {
  for (size_t i = 0; i < keyed_.size() && encoding_ > 0; ++i) {
    if (keyed_[i].writer != nullptr && !encode(i, budgetBytes)) return false;
  }
  return true;
}

void ChainCut::finish(const KeyedStateBackend& keyed) {
  for (size_t i = 0; i < keyed_.size(); ++i) {
    if (keyed_[i].writer == nullptr || keyed_[i].backend != &keyed) continue;
    while (!encode(i, std::numeric_limits<size_t>::max())) {
    }
  }
}

bool ChainCut::encode(size_t index, size_t budgetBytes) {
  Keyed& keyed = keyed_[index];
  if (!keyed.backend->encodeSome(budgetBytes)) return false;
  snapshot_.operators[index].keyed = keyed.writer->finish();
  snapshot_.operators[index].catalog = keyed.writer->takeCatalog();
  keyed.writer.reset();
  --encoding_;
  return true;
}

std::optional<ChainCut::Part> ChainCut::takePart(size_t bytes) {
  for (size_t i = 0; i < keyed_.size(); ++i) {
    if (keyed_[i].writer != nullptr && keyed_[i].writer->bytes() >= bytes)
      return Part{i, keyed_[i].writer->takeBytes(), keyed_[i].writer->hasCatalog()};
  }
  return std::nullopt;
}

size_t ChainCut::encodedBytes() const {
  size_t sum = 0;
  for (const Keyed& keyed : keyed_) sum += keyed.writer != nullptr ? keyed.writer->bytes() : 0;
  return sum;
}

void ChainCut::abandon() {
  for (Keyed& keyed : keyed_) {
    if (keyed.writer != nullptr) keyed.backend->abandonCut();
    keyed.writer.reset();
  }
  encoding_ = 0;
}

}  // namespace flott

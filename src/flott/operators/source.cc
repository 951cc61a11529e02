#include "flott/operators/source.h"

#include "flott/base/error.h"

namespace flott {

void SplitEnumerator::handleSourceEvent(SubtaskIndex, const std::string&) {
  throw Error(ErrorKind::kBug,
              "the source's enumerator got an event from a reader but does not handle events");
}

void SourceReader::handleSourceEvent(const std::string&) {
  throw Error(ErrorKind::kBug,
              "the source's reader got an event from the enumerator but does not handle events");
}
bool SourceReader::pauseSplits(const std::vector<std::string>&) { return false; }
void SourceReader::onWatermarkLimit(Timestamp) {}
void SourceReader::watermarkOrigins(std::vector<WatermarkOrigin>&) const {}
void SourceReader::onCheckpointEnded(CheckpointId, bool) {}
void SourceReader::close() noexcept {}

}  // namespace flott

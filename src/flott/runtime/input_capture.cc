#include "flott/runtime/input_capture.h"

#include <utility>

namespace flott {

void InputCapture::begin(CheckpointId checkpoint, size_t channels) {
  drop();
  active_ = true;
  checkpoint_ = checkpoint;
  lines_.resize(channels);
}

void InputCapture::drop() {
  active_ = false;
  lines_.clear();
  open_ = 0;
}

void InputCapture::open(size_t i, const Channel& channel, std::optional<size_t> barrier,
                        InFlightSequence sequence) {
  Line& line = lines_[i];
  line.sequence = std::move(sequence);
  line.barrier = barrier;
  line.channel = &channel;
  line.next = channel.popped();
  ++open_;
  look(i);
}

void InputCapture::announce(size_t i, CheckpointId checkpoint, size_t position) {
  if (!under(checkpoint) || lines_[i].channel == nullptr) return;
  lines_[i].barrier = position;
  look(i);
}

void InputCapture::close(Line& line) {
  line.channel = nullptr;
  --open_;
}

// Barriers of older checkpoints are those of void ones.
void InputCapture::look(size_t i) {
  Line& line = lines_[i];
  while (line.channel != nullptr) {
    if (line.barrier && line.next >= *line.barrier) return close(line);
    const Element* element = line.channel->at(line.next);
    if (element == nullptr) return;
    const auto* barrier = std::get_if<Barrier>(element);
    if (barrier != nullptr && barrier->checkpoint >= checkpoint_) return close(line);
    if (std::holds_alternative<EndOfInput>(*element)) return close(line);
    appendElement(*element, line.sequence.elements);
    ++line.next;
  }
}

std::vector<InFlightSequence> InputCapture::take() {
  std::vector<InFlightSequence> sequences;
  for (Line& line : lines_) sequences.push_back(std::move(line.sequence));
  drop();
  return sequences;
}

}  // namespace flott

#include "flott/connectors/socket/socket_sink.h"

namespace flott {

SocketOutlet::SocketOutlet(SocketAddress address, OperatorContext& context)
    : context_(context), socket_(std::move(address), context), writing_(std::make_shared<std::string>()) {
  socket_.open();
}

void SocketOutlet::send() {
  if (busy_ || empty() || !socket_.open()) return;
  if (writing_->empty()) writing_->swap(gathered_);
  busy_ = true;
  const auto failure = std::make_shared<std::optional<Error>>();
  const auto work = [failure, bytes = writing_, connection = socket_.connection()] {
    try {
      connection->write(*bytes);
    } catch (const Error& error) {
      *failure = error;
    }
  };
  context_.offload("write to " + socket_.address(), work, [this, failure] {
    busy_ = false;
    if (*failure) {
      socket_.lost(**failure);
    } else {
      socket_.worked();
      writing_->clear();
    }
    context_.askToResume();
  });
}

}  // namespace flott

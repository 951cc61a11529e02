#include "flott/cluster/manager/notice.h"

#include <memory>

namespace flott {
namespace {

constexpr Duration kConnectTimeout = Duration::seconds(5);

struct Deaf final : MessagePort::Receiver {
  void onFrame(std::string) override {}
  void onClosed(std::string_view) override {}
};

}  // namespace

void sendNotice(MessageLoop& loop, const std::string& address, uint16_t port, std::string frame) {
  Deaf nobody;
  const std::unique_ptr<MessagePort> link = loop.connect(address, port, kConnectTimeout);
  link->open(nobody);
  link->send(std::move(frame));
  link->close();
}

}  // namespace flott

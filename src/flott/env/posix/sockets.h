// What both forms of TCP begin with: addresses, and sockets that listen. For the files beside it only.
#pragma once

#include <netdb.h>

#include <cstdint>
#include <string>

#include "flott/env/posix/parts.h"

namespace flott::posix {

/// The addresses of a name, in the order in which to try them. Throws Error(kTransient) when there are none.
class Resolved {
 public:
  /// `flags` are those of getaddrinfo(): AI_PASSIVE to listen, AI_NUMERICHOST for no look-up.
  Resolved(const std::string& host, uint16_t port, int flags);
  Resolved(const Resolved&) = delete;
  Resolved& operator=(const Resolved&) = delete;
  ~Resolved() { ::freeaddrinfo(first_); }
  const addrinfo* first() const { return first_; }

 private:
  addrinfo* first_ = nullptr;
};

/// Its number is negative when the system gives none.
Descriptor makeSocket(const addrinfo& address, int flags);
/// At the first of the addresses; does not block. Throws what listenError() says.
Descriptor listeningSocket(const Resolved& addresses, const std::string& text);
/// The port that a socket got.
uint16_t boundPort(const Descriptor& socket);
/// Small writes go out at once: who writes batches knows when.
void sendAtOnce(const Descriptor& socket);

}  // namespace flott::posix

#include "flott/env/posix/sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "flott/env/failures.h"

namespace flott::posix {

Resolved::Resolved(const std::string& host, uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &first_);
  if (failed == 0) return;
  if ((flags & AI_NUMERICHOST) != 0 && failed == EAI_NONAME) throw addressError(host);
  if (failed == EAI_NONAME || failed == EAI_NODATA) {
    throw connectError(addressText(host, port), "the host name is unknown: check its spelling and the DNS");
  }
  const std::string reason = failed == EAI_SYSTEM ? systemReason(errno) : ::gai_strerror(failed);
  throw connectError(addressText(host, port), "the host name cannot be resolved: " + reason);
}

Descriptor makeSocket(const addrinfo& address, int flags) {
  return Descriptor(
      ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | flags, address.ai_protocol));
}

Descriptor listeningSocket(const Resolved& addresses, const std::string& text) {
  Descriptor socket = makeSocket(*addresses.first(), SOCK_NONBLOCK);
  const int on = 1;  // a restarted server gets its port back at once
  ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool listens =
      socket.number() >= 0 &&
      ::bind(socket.number(), addresses.first()->ai_addr, addresses.first()->ai_addrlen) == 0 &&
      ::listen(socket.number(), SOMAXCONN) == 0;
  if (!listens) throw listenError(text, errno);
  return socket;
}

uint16_t boundPort(const Descriptor& socket) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&bound), &size);
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(bound).sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in&>(bound).sin_port);
}

void sendAtOnce(const Descriptor& socket) {
  const int on = 1;
  ::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace flott::posix

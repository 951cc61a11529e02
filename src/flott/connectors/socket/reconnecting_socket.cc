#include "flott/connectors/socket/reconnecting_socket.h"

#include <algorithm>
#include <optional>

#include "flott/env/env.h"
#include "flott/env/failures.h"

namespace flott {
namespace {

// Cancelling a job has to wait for a connect that is under way.
constexpr Duration kConnectTimeout = Duration::seconds(5);
constexpr Duration kFirstPause = Duration::millis(500);
constexpr Duration kLongestPause = Duration::seconds(30);

Duration pauseBefore(int64_t retry) {
  return std::min(kLongestPause, kFirstPause * (int64_t{1} << std::min<int64_t>(retry, 10)));
}

}  // namespace

SocketAddress socketAddress(std::string host, int64_t port, int64_t maxRetries) {
  if (port < 1 || port > 65535) {
    throw Error(ErrorKind::kUser, "port " + std::to_string(port) + " of '" + host +
                                      "' is out of range: give a number from 1 to 65535");
  }
  return {.host = std::move(host), .port = static_cast<uint16_t>(port), .maxRetries = maxRetries};
}

ReconnectingSocket::ReconnectingSocket(SocketAddress address, OperatorContext& context)
    : options_(std::move(address)), address_(addressText(options_.host, options_.port)), context_(context) {}

bool ReconnectingSocket::open() {
  if (state_ == State::kPausing && context_.monotonicNanos() < retryAt_) {
    context_.wakeAtNanos(retryAt_);
    return false;
  }
  if (state_ == State::kClosed || state_ == State::kPausing) connect();
  return state_ == State::kOpen;
}

void ReconnectingSocket::connect() {
  struct Attempt {
    std::shared_ptr<Connection> connection;
    std::optional<Error> error;
  };
  state_ = State::kConnecting;
  const auto attempt = std::make_shared<Attempt>();
  const auto work = [attempt, &network = context_.env().network, host = options_.host, port = options_.port] {
    try {
      attempt->connection = network.connect(host, port, kConnectTimeout);
    } catch (const Error& error) {
      attempt->error = error;
    }
  };
  context_.offload("connect to " + address_, work, [this, attempt] {
    if (attempt->error) {
      lost(*attempt->error);
    } else {
      connection_ = attempt->connection;
      state_ = State::kOpen;
    }
    context_.askToResume();
  });
}

void ReconnectingSocket::lost(const Error& error) {
  connection_.reset();
  if (!mayRetry()) {
    const std::string tried = retries_ == 0 ? std::string("not tried again, because maxRetries is 0")
                                            : "given up after " + std::to_string(retries_) +
                                                  (retries_ == 1 ? " retry" : " retries");
    throw Error(error.kind(), error.message() + " (" + tried +
                                  "; a server has to run there first, for example: nc -lk " +
                                  std::to_string(options_.port) + ")");
  }
  const Duration pause = pauseBefore(retries_++);
  state_ = State::kPausing;
  retryAt_ = context_.monotonicNanos() + pause.ms * 1'000'000;
  context_.wakeAtNanos(retryAt_);
  const std::string& reason = error.message();
  context_.warn(reason + (reason.ends_with('?') ? " Trying" : "; trying") + " again in " + toString(pause));
}

void ReconnectingSocket::close() noexcept {
  if (connection_ != nullptr) connection_->close();
}

}  // namespace flott

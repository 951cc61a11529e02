#include "flott/runtime/links/link_acceptor.h"

#include <algorithm>
#include <utility>

#include "flott/base/error.h"

namespace flott {
namespace {

constexpr size_t kMostStrangers = 64;
// Of the first words.
constexpr size_t kLimitBytes = 4096;

}  // namespace

LinkAcceptor::LinkAcceptor(const LinkOptions& options, AsyncNetwork& network, Logger& log)
    : options_(options), log_(log), listener_(network.listen(options.address, options.port)) {}

LinkAcceptor::~LinkAcceptor() = default;

std::optional<LinkAcceptor::Caller> LinkAcceptor::next(int64_t nowNanos) {
  while (strangers_.size() < kMostStrangers) {
    std::unique_ptr<AsyncConnection> connection = listener_->accept();
    if (connection == nullptr) break;
    strangers_.push_back({.connection = std::move(connection),
                          .in = FrameReader(kLimitBytes),
                          .deadline = nowNanos + options_.connectTimeout.ms * 1'000'000});
  }
  for (auto stranger = strangers_.begin(); stranger != strangers_.end();) {
    std::string problem;
    try {
      if (std::optional<std::string> worker = listenTo(*stranger)) {
        stranger->in.setLimit(options_.frames.limitBytes);
        Caller caller{*std::move(worker), std::move(stranger->connection), std::move(stranger->in)};
        strangers_.erase(stranger);
        return caller;
      }
      if (nowNanos >= stranger->deadline) problem = "it has not said who it is";
    } catch (...) {
      problem = currentError().what();
    }
    if (problem.empty()) {
      ++stranger;
    } else {
      log_.warn("links", stranger->connection->address() + " was turned away: " + problem);
      stranger = strangers_.erase(stranger);
    }
  }
  return std::nullopt;
}

// Its name once it has said it, if it belongs here. Throws why not.
std::optional<std::string> LinkAcceptor::listenTo(Stranger& stranger) {
  for (;;) {
    const std::optional<Frame> frame = stranger.in.next();
    if (!frame) {
      const Io io = stranger.connection->read(stranger.in.room());
      stranger.in.filled(io.bytes);
      if (io.state == Io::State::kEnded) throw Error(ErrorKind::kTransient, "it has gone");
      if (io.state == Io::State::kWaits) return std::nullopt;
      continue;
    }
    if (frame->kind != FrameKind::kHello) throw Error(ErrorKind::kTransient, "it does not say who it is");
    const Hello hello = decodeHello(*frame);
    const std::string refusal = refusalOf(hello);
    if (refusal.empty()) return hello.from;
    say(refusal, *stranger.connection);
    throw Error(ErrorKind::kTransient, "worker '" + hello.from + "': " + refusal);
  }
}

std::string LinkAcceptor::refusalOf(const Hello& hello) const {
  const std::string here = "worker '" + options_.worker + "' runs attempt " +
                           std::to_string(options_.attempt) + " of job " + options_.job;
  if (hello.job == options_.job && hello.attempt == options_.attempt && hello.to == options_.worker)
    return {};
  return here + ", and was called as worker '" + hello.to + "' of attempt " + std::to_string(hello.attempt) +
         " of job " + hello.job;
}

void LinkAcceptor::refuse(const Caller& caller, const std::string& reason) {
  say(reason, *caller.connection);
  log_.warn("links", "worker '" + caller.worker + "' was turned away: " + reason);
}

// As far as there is room, and of a new connection there is.
void LinkAcceptor::say(const std::string& refusal, AsyncConnection& connection) const {
  std::string bytes;
  FrameWriter(options_.frames).refusal(refusal, bytes);
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const Io io = connection.write({&rest, 1});
    if (io.state == Io::State::kWaits) return;
    rest.remove_prefix(io.bytes);
  }
}

int64_t LinkAcceptor::deadlineNanos() const {
  int64_t deadline = kNoDeadline;
  for (const Stranger& stranger : strangers_) deadline = std::min(deadline, stranger.deadline);
  return deadline;
}

}  // namespace flott

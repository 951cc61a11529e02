// Takes connections of other workers, and lets in those only that belong here.
//
// A caller has to say who it is: a worker of this attempt of this job, of the same protocol. All others are
// refused, with a word why if they are workers at all, and noted in the log. Few can be under way at once,
// each for a limited time. Part of WorkerLinks, on its thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flott/env/async_network.h"
#include "flott/env/logger.h"
#include "flott/runtime/links/link.h"

namespace flott {

class LinkAcceptor {
 public:
  /// A worker that belongs here.
  struct Caller {
    std::string worker;
    std::unique_ptr<AsyncConnection> connection;
    FrameReader in;
  };

  /// Listens from now on. Options and log outlive it. Throws what AsyncNetwork::listen() does.
  LinkAcceptor(const LinkOptions& options, AsyncNetwork& network, Logger& log);
  ~LinkAcceptor();

  uint16_t port() const { return listener_->port(); }
  /// The next one that has said enough; nothing when there is none now.
  std::optional<Caller> next(int64_t nowNanos);
  int64_t deadlineNanos() const;
  /// Of a caller that next() gave: it is turned away after all.
  void refuse(const Caller& caller, const std::string& reason);

 private:
  struct Stranger {
    std::unique_ptr<AsyncConnection> connection;
    FrameReader in;
    int64_t deadline;
  };

  std::optional<std::string> listenTo(Stranger& stranger);
  std::string refusalOf(const Hello& hello) const;
  void say(const std::string& refusal, AsyncConnection& connection) const;

  const LinkOptions& options_;
  Logger& log_;
  const std::unique_ptr<AsyncListener> listener_;
  std::vector<Stranger> strangers_;
};

}  // namespace flott

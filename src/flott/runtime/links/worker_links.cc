#include "flott/runtime/links/worker_links.h"

#include <algorithm>

#include "flott/base/error.h"

namespace flott {

WorkerLinks::WorkerLinks(LinkOptions options, AsyncNetwork& network, const Env& env)
    : options_(std::move(options)), network_(network), env_(env), acceptor_(options_, network, env_.log) {}

WorkerLinks::~WorkerLinks() = default;

void WorkerLinks::setPeers(std::map<std::string, PeerAddress> peers,
                           std::map<std::pair<int, int>, std::string> places) {
  peers_ = std::move(peers);
  places_ = std::move(places);
}

void WorkerLinks::stop() {
  stopped_.store(true, std::memory_order_release);
  waker().wake();
}

Link& WorkerLinks::linkTo(PeerTask task) {
  const auto place = places_.find({task.vertex, task.subtask});
  FLOTT_CHECK(place != places_.end() && peers_.contains(place->second), "the place of each task is known");
  std::unique_ptr<Link>& link = links_[place->second];
  if (link == nullptr) {
    link = std::make_unique<Link>(options_, place->second, pools_, env_.clock.monotonicNanos());
  }
  return *link;
}

void WorkerLinks::addOutgoing(uint32_t number, PeerTask receiver, Channel& channel, Task& sender) {
  linkTo(receiver).addOutgoing(number, channel, sender);
}

void WorkerLinks::addIncoming(uint32_t number, PeerTask sender, Channel& channel, Task& receiver,
                              PoolOf pool) {
  linkTo(sender).addIncoming(number, channel, receiver, pool);
}

void WorkerLinks::begin(int64_t nowNanos) {
  begun_ = true;
  for (const auto& [peer, link] : links_) {
    if (options_.worker < peer) link->call(network_, peers_.at(peer), nowNanos);
  }
}

void WorkerLinks::accept(int64_t nowNanos) {
  while (std::optional<LinkAcceptor::Caller> caller = acceptor_.next(nowNanos)) {
    const auto link = links_.find(caller->worker);
    if (link == links_.end()) {
      acceptor_.refuse(*caller,
                       "no task of worker '" + options_.worker + "' has a channel with one of its own");
    } else if (!link->second->awaited()) {
      acceptor_.refuse(*caller, "worker '" + options_.worker + "' has met a worker of this name before");
    } else {
      link->second->answer(std::move(caller->connection), std::move(caller->in), nowNanos);
    }
  }
}

Runnable::Progress WorkerLinks::step(StepTime now) {
  if (stopped_.load(std::memory_order_acquire)) {
    for (const auto& [peer, link] : links_) link->close();
    return Progress::kDone;
  }
  if (!begun_) begin(now.nanos);
  network_.poll(0);
  accept(now.nanos);
  bool more = false;
  bool over = true;
  for (const auto& [peer, link] : links_) {
    more |= link->step(now.nanos);
    over &= link->over();
  }
  if (over) return Progress::kDone;
  return more ? Progress::kMore : Progress::kIdle;
}

int64_t WorkerLinks::deadlineNanos() const {
  int64_t deadline = std::min(network_.nextEventNanos(), acceptor_.deadlineNanos());
  for (const auto& [peer, link] : links_) deadline = std::min(deadline, link->deadlineNanos());
  return deadline;
}

LinkThread::LinkThread(const Env& env, AsyncNetwork& network, WorkerLinks& links)
    : env_(env), network_(network), links_(links) {
  links_.Runnable::waker().attach(this);
  thread_ = env_.threads.start({.name = "links"}, [this] { run(); });
}

LinkThread::~LinkThread() {
  links_.stop();
  join();
}

void LinkThread::join() { thread_->join(); }

void LinkThread::run() {
  for (;;) {
    Waker& waker = links_.Runnable::waker();
    waker.take();
    switch (links_.step({env_.clock.monotonicNanos(), env_.clock.wallTime()})) {
      case Runnable::Progress::kDone:
        return;
      case Runnable::Progress::kMore:
        break;
      case Runnable::Progress::kIdle:
        if (!waker.ready()) network_.poll(links_.deadlineNanos());
    }
  }
}

}  // namespace flott

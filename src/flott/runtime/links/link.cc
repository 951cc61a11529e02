#include "flott/runtime/links/link.h"

#include <algorithm>
#include <set>
#include <utility>

#include "flott/base/network_options.h"
#include "flott/runtime/task.h"

namespace flott {
namespace {

// Encoded and not yet taken by the connection: large enough for large writes, and about what it takes.
constexpr size_t kMostUnsent = 256 * 1024;
// Read in one step, so that writing has its turn.
constexpr size_t kReadBudget = 1024 * 1024;
constexpr int kWriteBudget = 8;  // times kMostUnsent
constexpr uint32_t kMostCredits = 1 << 20;

Error protocolError(const std::string& what) {
  return Error(ErrorKind::kTransient, "the other worker " + what);
}

size_t placeOf(const std::map<uint32_t, size_t>& places, uint32_t number) {
  const auto found = places.find(number);
  if (found == places.end())
    throw protocolError("names channel " + std::to_string(number) + ", which no task here has");
  return found->second;
}

FrameCompression compressionOf(const std::string& name) {
  if (name == "LZ4") return FrameCompression::kLz4;
  return name == "ZSTD" ? FrameCompression::kZstd : FrameCompression::kNone;
}

}  // namespace

LinkOptions linkOptions(const Configuration& configuration) {
  return {.connectTimeout = configuration.get(kNetworkConnectTimeout),
          .silence = configuration.get(kNetworkSilence),
          .frames = {.limitBytes = static_cast<size_t>(configuration.get(kMaxFrameSize).bytes),
                     .compression = compressionOf(configuration.get(kNetworkCompression))}};
}

Link::Link(const LinkOptions& options, std::string peer, BatchPools& pools, int64_t nowNanos)
    : options_(options),
      peer_(std::move(peer)),
      pools_(pools),
      writer_(options.frames),
      in_(options.frames.limitBytes),
      since_(nowNanos) {}

Link::~Link() = default;

void Link::addOutgoing(uint32_t number, Channel& channel, Task& sender) {
  outgoingAt_.emplace(number, outgoing_.size());
  outgoing_.push_back({.channel = &channel, .sender = &sender, .number = number});
  ++open_;
}

void Link::addIncoming(uint32_t number, Channel& channel, Task& receiver, PoolOf pool) {
  incomingAt_.emplace(number, incoming_.size());
  incoming_.push_back({.channel = &channel, .receiver = &receiver, .pool = &pool(pools_), .number = number});
  ++open_;
}

void Link::call(AsyncNetwork& network, const PeerAddress& address, int64_t nowNanos) {
  state_ = State::kCalling;
  since_ = nowNanos;
  try {
    connection_ = network.connect(address.address, address.port, options_.connectTimeout);
    canRead_ = canWrite_ = true;
    writer_.hello({.job = options_.job, .attempt = options_.attempt, .from = options_.worker, .to = peer_},
                  toSend_);
  } catch (...) {
    lose(currentError());
  }
}

void Link::answer(std::unique_ptr<AsyncConnection> connection, FrameReader in, int64_t nowNanos) {
  connection_ = std::move(connection);
  in_ = std::move(in);
  canRead_ = canWrite_ = true;
  writer_.hello({.job = options_.job, .attempt = options_.attempt, .from = options_.worker, .to = peer_},
                toSend_);
  open(nowNanos);
}

void Link::open(int64_t nowNanos) {
  state_ = State::kOpen;
  heardAt_ = spokeAt_ = nowNanos;
}

bool Link::step(int64_t nowNanos) {
  if (state_ == State::kOver) return false;
  bool more = false;
  try {
    watchSilence(nowNanos);
    if (connection_ == nullptr) return false;
    if (connection_->ready()) canRead_ = canWrite_ = true;
    more = read(nowNanos);
    bool waiting = false;
    for (int round = 0; round < kWriteBudget; ++round) {
      waiting = state_ == State::kOpen && fill();
      flush(nowNanos);
      if (!waiting || !canWrite_) break;
    }
    more |= waiting && canWrite_;
    endIfDone();
  } catch (...) {
    lose(currentError());
    return false;
  }
  return more;
}

// Whether the budget is used up before all was read.
bool Link::read(int64_t nowNanos) {
  for (size_t got = 0; canRead_;) {
    while (const std::optional<Frame> frame = in_.next()) {
      if (state_ == State::kOpen) {
        take(*frame);
      } else if (frame->kind == FrameKind::kRefusal) {
        throw protocolError("refuses it: " + std::string(frame->body));
      } else if (frame->kind == FrameKind::kHello) {
        open(nowNanos);
      } else {
        throw protocolError("does not say who it is");
      }
    }
    if (got >= kReadBudget) return true;
    const Io io = connection_->read(in_.room());
    in_.filled(io.bytes);
    got += io.bytes;
    if (io.bytes > 0) heardAt_ = nowNanos;
    if (io.state == Io::State::kWaits) canRead_ = false;
    if (io.state != Io::State::kEnded) continue;
    if (!heardEnd_) throw protocolError("has closed it: it has failed, or was stopped or killed");
    canRead_ = false;
  }
  return false;
}

void Link::take(const Frame& frame) {
  switch (frame.kind) {
    case FrameKind::kBatch:
    case FrameKind::kControl:
      return takeElement(frame);
    case FrameKind::kAnnouncement: {
      const Channel::Announcement news = decodeAnnouncement(frame);
      return incoming_[placeOf(incomingAt_, frame.channel)].channel->announce(news.barrier, news.position);
    }
    case FrameKind::kCredit:
      return takeCredit(frame);
    case FrameKind::kAlive:
      return;
    case FrameKind::kEnd:
      heardEnd_ = true;
      return;
    case FrameKind::kHello:
    case FrameKind::kRefusal:
      throw protocolError("introduces itself twice");
  }
}

void Link::takeElement(const Frame& frame) {
  Incoming& in = incoming_[placeOf(incomingAt_, frame.channel)];
  if (in.credits == 0)
    throw protocolError("sends more than it has credit for, on channel " + std::to_string(frame.channel));
  --in.credits;
  Element element =
      frame.kind == FrameKind::kBatch ? Element(decodeBatch(frame, *in.pool)) : decodeControl(frame);
  if (std::holds_alternative<EndOfInput>(element)) {
    in.ended = true;
    in.credits = 0;
    --open_;
  }
  FLOTT_CHECK(in.channel->tryPush(element), "there is a slot for each credit");
}

void Link::takeCredit(const Frame& frame) {
  Outgoing& out = outgoing_[placeOf(outgoingAt_, frame.channel)];
  if (frame.value > kMostCredits - out.credits) throw protocolError("gives credit without end");
  if (out.ended) return;
  out.credits += frame.value;
  out.window = std::max(out.window, out.credits);
  out.channel->setAway(out.window - out.credits);
}

// Encodes until there is enough to send. Whether some channel has more.
bool Link::fill() {
  for (Incoming& in : incoming_) giveCredits(in);
  for (Outgoing& out : outgoing_) {
    while (const std::optional<Channel::Announcement> news = out.channel->takeAnnouncement())
      writer_.announcement(out.number, *news, toSend_);
  }
  size_t idle = 0;
  while (idle < outgoing_.size() && unsent() < kMostUnsent) {
    idle = send(outgoing_[turn_]) ? 0 : idle + 1;
    turn_ = turn_ + 1 == outgoing_.size() ? 0 : turn_ + 1;
  }
  return idle < outgoing_.size();
}

// What cannot be encoded fails its sender; the channel then stands still, and the master does the rest.
bool Link::send(Outgoing& out) {
  if (out.credits == 0) return false;
  Element* front = out.channel->front();
  if (front == nullptr) return false;
  const Element element = std::move(*front);
  --out.credits;
  out.ended = std::holds_alternative<EndOfInput>(element);
  out.channel->setAway(out.ended ? 0 : out.window - out.credits);
  out.channel->pop();
  try {
    writer_.element(out.number, element, toSend_);
  } catch (...) {
    out.credits = 0;
    out.ended = true;
    out.sender->fail(currentError());
    return false;
  }
  if (out.ended) {
    out.credits = 0;
    --open_;
  }
  return true;
}

// While its task has something to work off the link is to be woken when more credits are due.
void Link::giveCredits(Incoming& in) {
  if (in.ended) return;
  const size_t capacity = in.channel->capacity();
  for (bool asked = false;; asked = true) {
    const size_t backlog = in.channel->backlog();
    const size_t due = capacity - backlog - in.credits;
    if (due > 0 && (2 * due >= capacity || backlog == 0)) {
      in.credits += static_cast<uint32_t>(due);
      writer_.credit(in.number, static_cast<uint32_t>(due), toSend_);
    }
    if (asked || backlog == 0) return;
    in.channel->await(in.credits == 0 ? Channel::ProducerWaits::kForRoom : Channel::ProducerWaits::kForEmpty);
  }
}

void Link::flush(int64_t nowNanos) {
  while (unsent() > 0 && canWrite_) {
    const std::string_view part = std::string_view(toSend_).substr(sent_);
    const Io io = connection_->write({&part, 1});
    sent_ += io.bytes;
    if (io.state == Io::State::kWaits) canWrite_ = false;
    if (io.bytes > 0) spokeAt_ = nowNanos;
  }
  if (unsent() == 0) {
    toSend_.clear();
    sent_ = 0;
    if (toSend_.capacity() > 8 * kMostUnsent) toSend_.shrink_to_fit();  // a large frame has made it so
  } else if (sent_ >= kMostUnsent) {
    toSend_.erase(0, std::exchange(sent_, 0));
  }
}

// Nothing is said after the end, so that no end closes while something is on its way to it.
void Link::endIfDone() {
  if (state_ != State::kOpen || open_ > 0) return;
  if (!saidEnd_) {
    saidEnd_ = true;
    writer_.bare(FrameKind::kEnd, toSend_);
    flush(heardAt_);
  }
  if (heardEnd_ && unsent() == 0) close();
}

int64_t Link::deadlineNanos() const {
  if (state_ == State::kOver) return kNoDeadline;
  if (state_ != State::kOpen) return since_ + options_.connectTimeout.ms * 1'000'000;
  const int64_t silence = options_.silence.ms * 1'000'000;
  const bool mustSpeak = !saidEnd_ && unsent() == 0;
  return std::min(heardAt_ + silence, mustSpeak ? spokeAt_ + silence / 4 : kNoDeadline);
}

void Link::watchSilence(int64_t nowNanos) {
  const int64_t silence = options_.silence.ms * 1'000'000;
  if (state_ != State::kOpen) {
    if (nowNanos < deadlineNanos()) return;
    throw protocolError(
        (state_ == State::kAwaited ? "has not connected within " : "has not answered within ") +
        toString(options_.connectTimeout));
  }
  if (nowNanos >= heardAt_ + silence) {
    // What has come while this process stood still counts.
    if (connection_->ready()) canRead_ = canWrite_ = true;
    if (canRead_) read(nowNanos);
    if (nowNanos >= heardAt_ + silence)
      throw protocolError("has not been heard of for " + toString(options_.silence));
  }
  if (!saidEnd_ && unsent() == 0 && nowNanos >= spokeAt_ + silence / 4) {
    spokeAt_ = nowNanos;
    writer_.bare(FrameKind::kAlive, toSend_);
  }
}

std::string Link::name() const {
  return "the connection between worker '" + options_.worker + "' and worker '" + peer_ + "'";
}

void Link::close() {
  state_ = State::kOver;
  connection_.reset();
}

void Link::lose(const Error& why) {
  close();
  std::set<Task*> tasks;
  for (const Outgoing& out : outgoing_) {
    if (!out.ended) tasks.insert(out.sender);
  }
  for (const Incoming& in : incoming_) {
    if (!in.ended) tasks.insert(in.receiver);
  }
  const Error lost(ErrorKind::kTransient, name() + " is lost: " + why.what());
  for (Task* task : tasks) task->fail(lost);
}

}  // namespace flott

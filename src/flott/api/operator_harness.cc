#include "flott/api/operator_harness.h"

#include <deque>
#include <map>

#include "flott/runtime/chain.h"

namespace flott::internal {
namespace {

constexpr SideOutputIndex kMain{-1};

// Keeps what an output gets. After `capacity` batches it waits until the chain goes on, which makes the
// output of the operator before it full.
class Recorder final : public Operator {
 public:
  Recorder(std::vector<Element>& elements, size_t capacity) : elements_(elements), capacity_(capacity) {}

  void open(OperatorContext& context) override { context_ = &context; }
  Step onBatch(int, Batch batch, Output&) override {
    elements_.emplace_back(std::move(batch));
    if (capacity_ == 0 || ++taken_ < capacity_) return Step::kDone;
    context_->askToResume();
    return Step::kWait;
  }
  Step resume(Output&) override {
    taken_ = 0;
    return Step::kDone;
  }
  Step onWatermark(int, Watermark watermark, Output&) override { return keep(watermark); }
  Step onStatus(int, WatermarkStatus status, Output&) override { return keep(status); }
  Step onEndOfInput(int, Output&) override { return keep(EndOfInput{}); }

 private:
  template <typename E>
  Step keep(E element) {
    elements_.emplace_back(std::move(element));
    return Step::kDone;
  }

  std::vector<Element>& elements_;
  const size_t capacity_;
  size_t taken_ = 0;
  OperatorContext* context_ = nullptr;
};

class RecorderFactory final : public OperatorFactory {
 public:
  RecorderFactory(std::vector<Element>& elements, size_t capacity)
      : elements_(elements), capacity_(capacity) {}
  std::unique_ptr<Operator> create() const override {
    return std::make_unique<Recorder>(elements_, capacity_);
  }

 private:
  std::vector<Element>& elements_;
  const size_t capacity_;
};

}  // namespace

// The chain, the operator at its head and a recorder for each output behind it, and the task they believe to
// be in.
struct HarnessCore::State final : ChainHost {
  State() : env(sim.env()) { outputs[kMain]; }
  ~State() override {
    if (chain) chain->close();
  }

  void open(const HarnessOptions& options, int inputs) {
    if (chain) return;
    vertex.name = node.name;
    ChainedOperator& tested = vertex.chain.emplace_back();
    tested.name = node.name;
    tested.uid = node.uid;
    tested.op = node.op;
    for (auto& [side, elements] : outputs) {
      vertex.chain.front().outputs.push_back({.side = side, .to = static_cast<int>(vertex.chain.size())});
      ChainedOperator& recorder = vertex.chain.emplace_back();
      recorder.name = "output";
      recorder.op = std::make_shared<RecorderFactory>(elements, options.outputCapacity);
    }
    ChainOptions chainOptions{
        .jobName = "test", .vertex = &vertex, .headInputs = inputs, .configuration = &options.configuration};
    chain = std::make_unique<OperatorChain>(std::move(chainOptions), env, pools, *this,
                                            std::vector<std::unique_ptr<Exchange>>());
    guarded([&] {
      chain->open();
      settle();
    });
  }

  template <typename F>
  void guarded(F&& call) {
    try {
      call();
    } catch (...) {
      throw chain->located();
    }
  }

  /// Until the operator has nothing to do but wait for input or time.
  void settle() {
    do {
      while (!mails.empty()) {
        MoveFunction<void()> mail = std::move(mails.front());
        mails.pop_front();
        mail();
      }
      chain->beginStep();
      chain->drain();
      chain->runDue();
    } while (!mails.empty() || chain->canGoOn() || sim.offload().runOne());
  }

  // ChainHost
  StepTime now() const override { return {env.clock.monotonicNanos(), env.clock.wallTime()}; }
  int64_t availableNanos() const override { return env.clock.monotonicNanos(); }
  void offload(std::string what, MoveFunction<void()> work,
               MoveFunction<void(std::optional<Error>)> done) override {
    auto both = [this, work = std::move(work), done = std::move(done)]() mutable {
      std::optional<Error> error;
      try {
        work();
      } catch (...) {
        error = currentError();
      }
      post([done = std::move(done), error = std::move(error)]() mutable { done(std::move(error)); });
    };
    FLOTT_CHECK(env.offload.submit(std::move(what), std::move(both)), "too much off-loaded work");
  }
  void requestSplit() override { FLOTT_CHECK(false, "the operator under test is no source"); }
  void sendSourceEvent(std::string) override { requestSplit(); }
  void reportWatermark(Timestamp) override { requestSplit(); }
  void post(MoveFunction<void()> mail) override { mails.push_back(std::move(mail)); }

  SimulatedEnv sim{1};
  Env env;
  BatchPools pools;
  std::map<SideOutputIndex, std::vector<Element>> outputs;
  StreamNode node;
  JobVertex vertex;
  std::deque<MoveFunction<void()>> mails;
  std::unique_ptr<OperatorChain> chain;
};

HarnessCore::HarnessCore(HarnessOptions options, int inputs)
    : options_(std::move(options)),
      inputs_(inputs),
      program_(std::make_shared<Program>(options_.configuration)),
      state_(std::make_unique<State>()) {
  for (int i = 0; i < inputs; ++i) {
    StreamNode source;
    source.kind = NodeKind::kSource;
    source.name = "input";
    program_->add(std::move(source), {});
  }
}

HarnessCore::~HarnessCore() = default;

StreamHandle HarnessCore::input(int number) const {
  return StreamHandle(program_, {StreamOrigin::mainOf(number + 1)});
}

void HarnessCore::built() {
  const std::vector<StreamNode>& nodes = program_->graph().nodes;
  const auto added = static_cast<int>(nodes.size()) - inputs_;
  if (added != 1) {
    throw Error(ErrorKind::kUser, "a harness tests one operator, and this program has " +
                                      std::to_string(added) +
                                      ": make one for each, or run the job in a TestWorld");
  }
  state_->node = nodes.back();
}

void HarnessCore::read(SideOutputIndex side) {
  if (state_->chain) {
    throw Error(ErrorKind::kUser,
                "the operator runs already: call readSideOutput(…) before anything is pushed");
  }
  state_->outputs[side];
}

BatchPools& HarnessCore::pools() { return state_->pools; }

void HarnessCore::deliver(int input, Element element) {
  state_->open(options_, inputs_);
  if (Batch* batch = std::get_if<Batch>(&element)) {
    for (const StreamEdge& edge : state_->node.inputs) {
      if (edge.input == input && edge.kind == PartitionKind::kHash) edge.partitioning.hasher->hash(*batch);
    }
  }
  if (state_->chain->blocked()) {
    throw Error(
        ErrorKind::kUser,
        "the operator waits and takes no input: advance(…) the time it waits for before the next push");
  }
  state_->guarded([&] {
    state_->chain->deliver(input, std::move(element));
    state_->settle();
  });
}

void HarnessCore::endOfInput(int input) {
  deliver(input, Watermark{Timestamp::max()});
  deliver(input, EndOfInput{});
  if (state_->chain->finished()) state_->chain->close();
}

void HarnessCore::advance(Duration by) {
  state_->open(options_, inputs_);
  const int64_t end = deadlineAfter(state_->sim.clock(), by);
  while (state_->sim.clock().monotonicNanos() < end) {
    state_->sim.clock().advanceTo(std::min(end, state_->chain->deadlineNanos(state_->now())));
    state_->guarded([this] { state_->settle(); });
  }
}

Timestamp HarnessCore::now() const { return state_->env.clock.wallTime(); }

const std::vector<Element>& HarnessCore::elements(SideOutputIndex side) {
  const auto found = state_->outputs.find(side);
  if (found == state_->outputs.end()) {
    throw Error(ErrorKind::kUser,
                "nobody reads this side output: call readSideOutput(…) before anything is pushed");
  }
  return found->second;
}

void HarnessCore::clear() {
  for (auto& [side, elements] : state_->outputs) elements.clear();
}

const MetricGroup& HarnessCore::metrics() {
  state_->open(options_, inputs_);
  return state_->chain->metrics().front().metrics;
}

const Accumulators& HarnessCore::accumulators() {
  state_->open(options_, inputs_);
  return state_->chain->accumulators();
}

SimulatedEnv& HarnessCore::sim() { return state_->sim; }

std::vector<std::string> eventTexts(const std::vector<Element>& elements) {
  std::vector<std::string> texts;
  for (const Element& element : elements) {
    if (const Batch* batch = std::get_if<Batch>(&element)) {
      for (size_t i = 0; i < batch->size(); ++i) {
        texts.push_back((*batch)->print(i));
        if ((*batch)->hasTimestamps()) texts.back() += " @ " + std::to_string((*batch)->timestamps()[i]);
      }
    } else if (const auto* watermark = std::get_if<Watermark>(&element)) {
      const bool last = watermark->time == Timestamp::max();
      texts.push_back(last ? "watermark max" : "watermark " + std::to_string(watermark->time.ms));
    } else if (const auto* status = std::get_if<WatermarkStatus>(&element)) {
      texts.push_back(status->active ? "active" : "idle");
    } else {
      texts.push_back("end");
    }
  }
  return texts;
}

}  // namespace flott::internal

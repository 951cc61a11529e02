// A stream of records of one type, and what can be done with it. This is where most of a user's program
// happens.
//
// Streams are light handles on the program under construction: copy them freely. Calling a method adds an
// operator and returns the stream behind it; nothing runs before execute(). Methods throw Error(kUser) for
// what can be seen to be wrong at once.
//
//   lines.flatMap([](const std::string& line, Collector<WordCount>& out) { … })
//       .keyBy(&WordCount::word)
//       .sum(&WordCount::count)
//       .print();
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "flott/api/program.h"
#include "flott/api/signature.h"
#include "flott/connectors/files/file_sink.h"
#include "flott/data/describe.h"
#include "flott/operators/function.h"
#include "flott/operators/key_selector.h"
#include "flott/operators/stateless.h"

namespace flott {

template <typename T>
class CollectIterator;
template <typename T>
class SingleOutputStreamOperator;
template <typename T, typename Selector>
class KeyedStream;
class Columns;
BatchPool& columnsPool(BatchPools& pools);
class CountWindows;
struct DefaultTrigger;
struct NoEvictor;
template <typename T, typename Selector, typename Assigner, typename Trigger = DefaultTrigger,
          typename Evictor = NoEvictor>
class WindowedStream;
template <typename T, typename Generator, typename Assigner>
class WatermarkStrategy;
template <typename T>
class OutputTag;
template <typename T, typename Partitions>
class PartitionWindowedStream;
template <typename T>
struct SubtaskPartitions;

/// What the graph knows of a stream's records.
struct RecordType {
  std::string text = {};
  PoolOf pool = nullptr;
};

/// What a stream without a consumer's choice of names is called: "Map", "Filter", ….
StreamNode operatorNode(std::string name, std::shared_ptr<const OperatorFactory> factory,
                        RecordType outputType);
StreamNode sinkNode(std::string name, std::shared_ptr<const OperatorFactory> factory);

template <typename T>
RecordType recordType() {
  return {describe<T>().toString(), [](BatchPools& pools) -> BatchPool& {
            if constexpr (std::is_same_v<T, Columns>) {
              return columnsPool(pools);
            } else {
              return rowsPool<T>(pools);
            }
          }};
}

/// A sink in the program: the last operator of a branch.
class DataStreamSink {
 public:
  explicit DataStreamSink(StreamHandle stream) : stream_(std::move(stream)) {}
  DataStreamSink& name(std::string name);
  DataStreamSink& uid(std::string uid);
  DataStreamSink& setUidHash(const std::string& hash);
  DataStreamSink& setDescription(std::string text);
  DataStreamSink& setParallelism(int parallelism);
  DataStreamSink& slotSharingGroup(std::string group);
  /// Registers the group, too: StreamExecutionEnvironment::registerSlotSharingGroup().
  DataStreamSink& slotSharingGroup(const SlotSharingGroup& group);
  DataStreamSink& disableChaining();

 private:
  StreamHandle stream_;
};

template <typename T>
class DataStream {
 public:
  using Record = T;

  explicit DataStream(StreamHandle handle) : handle_(std::move(handle)) {}
  const StreamHandle& handle() const { return handle_; }

  // One record to one, to any number, to the same or none.

  /// f(const T&) -> Out, called once a record.
  template <typename F>
  auto map(F function) const;
  /// f(const T&) -> bool: records for which it is true go on.
  template <typename F>
  SingleOutputStreamOperator<T> filter(F predicate) const;
  /// f(const T&, Collector<Out>&). Out is found from a lambda's parameter; name it for generic lambdas.
  template <typename Out = void, typename F>
  auto flatMap(F function) const;

  /// A class derived from ProcessFunction<T, Out>, or f(const T&, ProcessContext&, Collector<Out>&).
  template <typename Out = void, typename F>
  auto process(F function) const;

  /// Some elements of a tuple, in this order: project<0, 2>() of a tuple<A, B, C> is a tuple<A, C>.
  template <size_t... indices>
  requires(sizeof...(indices) > 0) auto project() const;
  /// Some members, as a tuple: project(&Click::user, &Click::at).
  template <typename... Ms>
  SingleOutputStreamOperator<std::tuple<Ms...>> project(Ms internal::MembersOf<T>::*... members) const;

  // Keys.

  /// By a member: keyBy(&Click::user).
  template <typename K>
  KeyedStream<T, MemberSelector<T, K>> keyBy(K internal::MembersOf<T>::*member) const;
  /// By several members; the key is a tuple.
  template <typename K1, typename K2, typename... Ks>
  KeyedStream<T, MembersSelector<T, K1, K2, Ks...>> keyBy(K1 internal::MembersOf<T>::*first,
                                                          K2 internal::MembersOf<T>::*second,
                                                          Ks internal::MembersOf<T>::*... rest) const;
  /// By elements of a tuple: keyBy<0>(); by several the key is a tuple.
  template <size_t first, size_t... rest>
  auto keyBy() const;
  /// By f(const T&) -> key, which must give the same key whenever it is called.
  template <typename F>
  requires std::invocable<const F&, const T&> KeyedStream<T, FunctionSelector<T, F>> keyBy(F function)
  const;

  // Time.

  /// Gives records their event time and the stream its watermarks (watermark_strategy.h), in place of those
  /// it had.
  template <typename Generator, typename Assigner>
  SingleOutputStreamOperator<T> assignTimestampsAndWatermarks(
      WatermarkStrategy<T, Generator, Assigner> strategy) const;
  /// Windows over all records, in one subtask.
  template <typename Assigner>
  WindowedStream<T, NoKeySelector<T>, Assigner> windowAll(Assigner assigner) const;
  /// Windows of `size` records, and the last `size` records at every slide-th; in one subtask.
  WindowedStream<T, NoKeySelector<T>, CountWindows> countWindowAll(int64_t size) const;
  WindowedStream<T, NoKeySelector<T>, CountWindows> countWindowAll(int64_t size, int64_t slide) const;

  /// All records of each subtask together, once the input has ended (partition_windowed_stream.h).
  PartitionWindowedStream<T, SubtaskPartitions<T>> fullWindowPartition() const;

  /// All records of these streams, in no particular order between them.
  template <typename... Others>
  DataStream<T> unionWith(const Others&... others) const {
    static_assert(
        (std::is_same_v<typename Others::Record, T> && ...),
        "unionWith: the streams have records of different types; bring them to one by map(…), or use "
        "connect(…)");
    return DataStream<T>(handle_.unite({&others.handle()...}));
  }

  /// Both streams, of different types, go into one operator. `other` may be keyed or a BroadcastStream.
  template <typename Other>
  auto connect(const Other& other) const;

  /// Pairs of records with the same key in the same window: .where(key).equalTo(key).window(…).apply(f), see
  /// window_join.h.
  template <typename Other>
  auto join(const Other& other) const;
  /// The same with all records of a key and window of both streams together.
  template <typename Other>
  auto coGroup(const Other& other) const;

  // How records are spread over the subtasks of the next operator.

  DataStream<T> forward() const { return with(PartitionKind::kForward); }
  DataStream<T> rebalance() const { return with(PartitionKind::kRebalance); }
  DataStream<T> rescale() const { return with(PartitionKind::kRescale); }
  DataStream<T> shuffle() const { return with(PartitionKind::kShuffle); }
  DataStream<T> broadcast() const { return with(PartitionKind::kBroadcast); }
  /// To every subtask, to be connected with another stream: sets up states that are equal in all of them.
  template <typename... Ks, typename... Vs>
  requires(sizeof...(Ks) > 0) auto broadcast(const MapStateDescriptor<Ks, Vs>&... states) const;
  DataStream<T> global() const { return with(PartitionKind::kGlobal); }
  /// partition(key, number of subtasks) -> subtask, for the key that `selector` (member or function) finds.
  template <typename P, typename S>
  DataStream<T> partitionCustom(P partition, S selector) const;

  /// An operator of your own over this stream.
  template <typename Out>
  SingleOutputStreamOperator<Out> transform(std::string name,
                                            std::shared_ptr<const OperatorFactory> factory) const;

  // Ends of a stream (sinks.h).

  /// A sink: a value with createWriter() (operators/sink.h), or what a maker in connectors/ returns.
  template <typename S>
  DataStreamSink sinkTo(S sink) const;
  /// f(const T&), called with each record; must not block.
  template <typename F>
  DataStreamSink addSink(F function) const;
  /// A line a record on standard output, as Flink prints it: "2> {word: \"to\", count: 1}".
  DataStreamSink print(std::string identifier = {}) const;
  DataStreamSink printToErr(std::string identifier = {}) const;
  /// Lines of text; a file, or with parallelism above 1 a folder with a file for each subtask.
  DataStreamSink writeAsText(std::string path, FileSinkOptions options = {}) const;
  DataStreamSink writeAsCsv(std::string path, CsvOptions csv = {}, FileSinkOptions options = {}) const;
  /// encode(const T&) -> text, written to a TCP server.
  template <typename F>
  DataStreamSink writeToSocket(std::string host, int64_t port, F encode) const;
  /// Runs the job and returns all records of this stream: for bounded streams that fit in memory.
  std::vector<T> executeAndCollect(const std::string& jobName = {}) const;
  /// Starts the job; its records are read one by one while it runs.
  CollectIterator<T> collectAsync(const std::string& jobName = {}) const;

  /// An operator of your own as a sink.
  DataStreamSink transformToSink(std::string name, std::shared_ptr<const OperatorFactory> factory) const {
    return DataStreamSink(handle_.apply(sinkNode(std::move(name), std::move(factory))));
  }

 protected:
  DataStream<T> with(PartitionKind kind) const { return DataStream<T>(handle_.with(kind)); }

  StreamHandle handle_;
};

/// A stream that one operator puts out, with that operator's settings.
template <typename T>
class SingleOutputStreamOperator : public DataStream<T> {
 public:
  explicit SingleOutputStreamOperator(StreamHandle handle) : DataStream<T>(std::move(handle)) {}

  SingleOutputStreamOperator& name(std::string name) {
    return set("name", &StreamNode::name, std::move(name));
  }
  /// The identity of the operator's state across versions of the program. Unique in the job.
  SingleOutputStreamOperator& uid(std::string uid) { return set("uid", &StreamNode::uid, std::move(uid)); }
  /// The operator's id itself, 16 hexadecimal digits, to find state that was written under it. Stronger than
  /// a uid.
  SingleOutputStreamOperator& setUidHash(const std::string& hash) {
    return set("setUidHash", &StreamNode::uidHash, std::optional(parseOperatorId(hash)));
  }
  SingleOutputStreamOperator& setDescription(std::string text) {
    return set("setDescription", &StreamNode::description, std::move(text));
  }
  /// What the operator puts out under this tag.
  template <typename U>
  DataStream<U> getSideOutput(const OutputTag<U>& tag) const;
  SingleOutputStreamOperator& setParallelism(int parallelism);
  SingleOutputStreamOperator& setMaxParallelism(int maxParallelism);
  /// Negative: only full batches are sent; zero: after every step.
  SingleOutputStreamOperator& setBufferTimeout(Duration timeout) {
    return set("setBufferTimeout", &StreamNode::bufferTimeout, std::optional<Duration>(timeout));
  }
  SingleOutputStreamOperator& startNewChain() {
    return set("startNewChain", &StreamNode::chaining, ChainingStrategy::kHead);
  }
  SingleOutputStreamOperator& disableChaining() {
    return set("disableChaining", &StreamNode::chaining, ChainingStrategy::kNever);
  }
  SingleOutputStreamOperator& slotSharingGroup(std::string group) {
    return set("slotSharingGroup", &StreamNode::slotSharingGroup, std::move(group));
  }
  /// Registers the group, too: StreamExecutionEnvironment::registerSlotSharingGroup().
  SingleOutputStreamOperator& slotSharingGroup(const SlotSharingGroup& group) {
    this->handle_.program().registerSlotSharingGroup(group);
    return slotSharingGroup(group.name);
  }

 private:
  template <typename M, typename V>
  SingleOutputStreamOperator& set(const char* what, M StreamNode::*member, V value) {
    this->handle_.only(what).*member = std::move(value);
    return *this;
  }
};

void setNodeParallelism(StreamNode& node, int parallelism);
void setNodeMaxParallelism(StreamNode& node, int maxParallelism);

template <typename T>
SingleOutputStreamOperator<T>& SingleOutputStreamOperator<T>::setParallelism(int parallelism) {
  setNodeParallelism(this->handle_.only("setParallelism"), parallelism);
  return *this;
}

template <typename T>
SingleOutputStreamOperator<T>& SingleOutputStreamOperator<T>::setMaxParallelism(int maxParallelism) {
  setNodeMaxParallelism(this->handle_.only("setMaxParallelism"), maxParallelism);
  return *this;
}

template <typename T>
template <typename Out>
SingleOutputStreamOperator<Out> DataStream<T>::transform(
    std::string name, std::shared_ptr<const OperatorFactory> factory) const {
  return SingleOutputStreamOperator<Out>(
      handle_.apply(operatorNode(std::move(name), std::move(factory), recordType<Out>())));
}

template <typename T>
template <typename F>
auto DataStream<T>::map(F function) const {
  if constexpr (internal::requireMap<T, F>()) {
    using Out = std::remove_cvref_t<std::invoke_result_t<F&, const T&>>;
    return transform<Out>("Map", operatorFactory<MapOperator<T, Out, F>>(std::move(function)));
  }
}

template <typename T>
template <size_t... indices>
requires(sizeof...(indices) > 0) auto DataStream<T>::project() const {
  if constexpr (internal::requireTuple<T, indices...>()) {
    return map([](const T& tuple) {
             return std::tuple<std::tuple_element_t<indices, T>...>(std::get<indices>(tuple)...);
           })
        .name("Projection");
  }
}

template <typename T>
template <typename... Ms>
SingleOutputStreamOperator<std::tuple<Ms...>> DataStream<T>::project(
    Ms internal::MembersOf<T>::*... members) const {
  return map([members...](const T& record) { return std::tuple<Ms...>(record.*members...); })
      .name("Projection");
}

template <typename T>
template <typename F>
SingleOutputStreamOperator<T> DataStream<T>::filter(F predicate) const {
  static_assert(internal::requireFilter<T, F>());
  return transform<T>("Filter", operatorFactory<FilterOperator<T, F>>(std::move(predicate)));
}

template <typename T>
template <typename Out, typename F>
auto DataStream<T>::flatMap(F function) const {
  using Found = internal::PutOut<Out, F>;
  if constexpr (internal::requireFlatMap<T, Found, F>()) {
    return transform<Found>("Flat Map", operatorFactory<FlatMapOperator<T, Found, F>>(std::move(function)));
  }
}

[[noreturn]] void throwBadPartition(int64_t target, uint32_t channels);

template <typename T, typename Selector, typename P>
class KeyRouter final : public RowRouter {
 public:
  KeyRouter(Selector selector, P partition)
      : selector_(std::move(selector)), partition_(std::move(partition)) {}
  void route(const Batch& batch, uint32_t channels, uint32_t* targets) const override {
    const Rows<T>& rows = batch.rows<T>();
    forEachRow(rows, 0, [&](size_t i) {
      const auto target = static_cast<int64_t>(partition_(selector_(rows[i]), static_cast<int>(channels)));
      if (target < 0 || target >= channels) throwBadPartition(target, channels);
      targets[i] = static_cast<uint32_t>(target);
    });
  }

 private:
  Selector selector_;
  P partition_;
};

template <typename T>
template <typename P, typename S>
DataStream<T> DataStream<T>::partitionCustom(P partition, S selector) const {
  std::shared_ptr<const RowRouter> router;
  if constexpr (std::is_member_object_pointer_v<S>) {
    using K = std::remove_cvref_t<decltype(std::declval<const T&>().*selector)>;
    router =
        std::make_shared<KeyRouter<T, MemberSelector<T, K>, P>>(MemberSelector<T, K>{selector}, partition);
  } else {
    router = std::make_shared<KeyRouter<T, FunctionSelector<T, S>, P>>(FunctionSelector<T, S>{selector},
                                                                       partition);
  }
  return DataStream<T>(handle_.with(
      PartitionKind::kCustom, {.kind = PartitionKind::kCustom, .hasher = {}, .router = std::move(router)}));
}

}  // namespace flott

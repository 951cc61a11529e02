#include "flott/api/data_stream.h"

#include "flott/api/partition_windowed_stream.h"
#include "flott/api/watermarks.h"

namespace flott {

StreamNode operatorNode(std::string name, std::shared_ptr<const OperatorFactory> factory,
                        RecordType outputType) {
  StreamNode node;
  node.kind = NodeKind::kOperator;
  node.name = std::move(name);
  node.op = std::move(factory);
  node.outputType = std::move(outputType.text);
  node.outputPool = outputType.pool;
  return node;
}

StreamNode sinkNode(std::string name, std::shared_ptr<const OperatorFactory> factory) {
  StreamNode node = operatorNode(std::move(name), std::move(factory), {});
  node.kind = NodeKind::kSink;
  return node;
}

void setNodeParallelism(StreamNode& node, int parallelism) {
  if (parallelism < 1 || parallelism > 32768) {
    throw Error(ErrorKind::kUser, "parallelism " + std::to_string(parallelism) + " of operator '" +
                                      node.name + "' is out of range: give a number from 1 to 32768");
  }
  if (node.parallelismFixed && parallelism != 1) {
    throw Error(ErrorKind::kUser,
                "operator '" + node.name + "' cannot run in parallel: leave its parallelism at 1");
  }
  node.parallelism = parallelism;
}

void setNodeMaxParallelism(StreamNode& node, int maxParallelism) {
  if (maxParallelism < 1 || maxParallelism > 32768) {
    throw Error(ErrorKind::kUser, "max parallelism " + std::to_string(maxParallelism) + " of operator '" +
                                      node.name + "' is out of range: give a power of two from 1 to 32768");
  }
  node.maxParallelism = maxParallelism;
}

StreamNode besideInput(StreamNode node, const StreamHandle& stream) {
  if (stream.origins().size() != 1) return node;
  const StreamNode& before = stream.program().node(stream.origins().front().node);
  node.parallelism = before.parallelismFixed ? 1 : before.parallelism;
  return node;
}

void throwBadPartition(int64_t target, uint32_t channels) {
  throw Error(ErrorKind::kUser, "the partitioner chose subtask " + std::to_string(target) + " of " +
                                    std::to_string(channels) + ": it must return a number from 0 to " +
                                    std::to_string(channels - 1));
}

DataStreamSink& DataStreamSink::name(std::string name) {
  stream_.only("name").name = std::move(name);
  return *this;
}
DataStreamSink& DataStreamSink::uid(std::string uid) {
  stream_.only("uid").uid = std::move(uid);
  return *this;
}
DataStreamSink& DataStreamSink::setUidHash(const std::string& hash) {
  stream_.only("setUidHash").uidHash = parseOperatorId(hash);
  return *this;
}
DataStreamSink& DataStreamSink::setDescription(std::string text) {
  stream_.only("setDescription").description = std::move(text);
  return *this;
}
DataStreamSink& DataStreamSink::setParallelism(int parallelism) {
  setNodeParallelism(stream_.only("setParallelism"), parallelism);
  return *this;
}
DataStreamSink& DataStreamSink::slotSharingGroup(std::string group) {
  stream_.only("slotSharingGroup").slotSharingGroup = std::move(group);
  return *this;
}
DataStreamSink& DataStreamSink::slotSharingGroup(const SlotSharingGroup& group) {
  stream_.program().registerSlotSharingGroup(group);
  return slotSharingGroup(group.name);
}
DataStreamSink& DataStreamSink::disableChaining() {
  stream_.only("disableChaining").chaining = ChainingStrategy::kNever;
  return *this;
}

void throwAlignmentBehindSource() {
  throw Error(
      ErrorKind::kUser,
      "withWatermarkAlignment(…) needs to hold the source back, which an operator behind it cannot: give "
      "the strategy to fromSource(source, strategy)");
}

}  // namespace flott

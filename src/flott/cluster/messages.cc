#include "flott/cluster/messages.h"

#include <algorithm>
#include <memory>

#include "flott/base/bytes.h"
#include "flott/data/codec.h"

namespace flott {

// --- what is no plain data ---

template <>
struct Codec<Accumulators> {
  static void encode(const Accumulators& all, ByteWriter& out) { all.encode(out); }
  static void decode(ByteReader& in, Accumulators& all) { all = Accumulators::decode(in); }
};

template <>
struct Codec<RestoredKeyedState> {
  static void encode(const RestoredKeyedState& state, ByteWriter& out) { state.encode(out); }
  static void decode(ByteReader& in, RestoredKeyedState& state) { state = RestoredKeyedState::decode(in); }
};

template <>
struct Codec<OperatorStateImage> {
  static void encode(const OperatorStateImage& image, ByteWriter& out) { image.encode(out); }
  static void decode(ByteReader& in, OperatorStateImage& image) { image = OperatorStateImage::decode(in); }
};

template <>
struct Codec<ColdImage> {
  static void encode(const ColdImage& image, ByteWriter& out) { out.string(image.encode()); }
  static void decode(ByteReader& in, ColdImage& image) { image = ColdImage::decode(in.string()); }
};

// What a task has yet to fetch it fetches where it runs; what it has fetched never leaves the process.
template <>
struct Codec<RestoredOperator> {
  static void encode(const RestoredOperator& op, ByteWriter& out) {
    FLOTT_CHECK(op.cold.store == nullptr, "a store on disk cannot be sent");
    Codec<RestoredKeyedState>::encode(op.keyed, out);
    Codec<OperatorStateImage>::encode(op.operatorState, out);
    Codec<std::vector<StoredSection>>::encode(op.sections, out);
    Codec<std::vector<StoredColdState>>::encode(op.stored, out);
  }
  static void decode(ByteReader& in, RestoredOperator& op) {
    Codec<RestoredKeyedState>::decode(in, op.keyed);
    Codec<OperatorStateImage>::decode(in, op.operatorState);
    Codec<std::vector<StoredSection>>::decode(in, op.sections);
    Codec<std::vector<StoredColdState>>::decode(in, op.stored);
  }
};

template <>
struct Codec<RestoredChannel> {
  static void encode(const RestoredChannel& channel, ByteWriter& out) {
    out.zigzag(channel.edge);
    out.zigzag(channel.sender);
    out.fixed(static_cast<uint8_t>(channel.takes));
    out.fixed(static_cast<uint8_t>(channel.exact));
    out.varint(channel.parts.size());
    for (const auto& part : channel.parts) out.string(*part);
  }
  static void decode(ByteReader& in, RestoredChannel& channel) {
    channel.edge = static_cast<int>(in.zigzag());
    channel.sender = static_cast<int>(in.zigzag());
    const auto takes = in.fixed<uint8_t>();
    if (takes > static_cast<uint8_t>(RestoredChannel::Takes::kNothing))
      in.fail("has a channel of an unknown kind");
    channel.takes = static_cast<RestoredChannel::Takes>(takes);
    channel.exact = in.fixed<uint8_t>() != 0;
    for (size_t left = in.count(); left > 0; --left)
      channel.parts.push_back(std::make_shared<const std::string>(in.string()));
  }
};

template <>
struct Codec<Barrier> {
  static void encode(const Barrier& barrier, ByteWriter& out) {
    out.varint(barrier.checkpoint.value);
    out.fixed(barrier.triggered.ms);
    out.fixed(barrier.overtakesFrom.ms);
    const std::optional<CheckpointProperties> properties =
        barrier.properties ? std::optional(*barrier.properties) : std::nullopt;
    Codec<std::optional<CheckpointProperties>>::encode(properties, out);
  }
  static void decode(ByteReader& in, Barrier& barrier) {
    barrier.checkpoint = CheckpointId(in.varint());
    barrier.triggered = Timestamp(in.fixed<int64_t>());
    barrier.overtakesFrom = Timestamp(in.fixed<int64_t>());
    std::optional<CheckpointProperties> properties;
    Codec<std::optional<CheckpointProperties>>::decode(in, properties);
    if (!properties) return;
    barrier.properties = std::make_shared<const CheckpointProperties>(*std::move(properties));
  }
};

/// The parts of a histogram's reading are the same for all: only their values are sent.
template <>
struct Codec<MetricReading> {
  static void encode(const MetricReading& reading, ByteWriter& out) {
    out.string(reading.name);
    out.string(reading.text);
    out.fixed(reading.value);
    out.fixed(static_cast<uint8_t>(reading.kind));
    if (reading.kind != MetricKind::kHistogram) return;
    FLOTT_CHECK(reading.parts.size() == partNames().size(), "histograms do not have the same parts");
    for (const auto& [name, value] : reading.parts) out.fixed(value);
  }
  static void decode(ByteReader& in, MetricReading& reading) {
    reading.name = in.string();
    reading.text = in.string();
    reading.value = in.fixed<double>();
    const auto kind = in.fixed<uint8_t>();
    if (kind > static_cast<uint8_t>(MetricKind::kText)) in.fail("has a metric of an unknown kind");
    reading.kind = static_cast<MetricKind>(kind);
    if (reading.kind != MetricKind::kHistogram) return;
    for (const std::string_view name : partNames()) reading.parts.emplace_back(name, in.fixed<double>());
  }

 private:
  static const std::vector<std::string_view>& partNames() {
    static const std::vector<std::string_view> kNames = [] {
      MetricGroup group;
      group.histogram("any");
      const std::vector<MetricReading> readings = group.read(0);
      std::vector<std::string_view> names;
      for (const auto& [name, value] : readings.front().parts) names.push_back(name);
      return names;
    }();
    return kNames;
  }
};

std::string frameOf(const ToMaster& message) { return encodeFrame(message); }
std::string frameOf(const ToWorker& message) { return encodeFrame(message); }
ToMaster decodeToMaster(std::string_view frame) { return decodeFrame<ToMaster>(frame); }
ToWorker decodeToWorker(std::string_view frame) { return decodeFrame<ToWorker>(frame); }

Error messages::Failure::error() const {
  Error error(std::min(kind, ErrorKind::kBug), message);
  for (const std::string& place : context) error.at(place);
  return error;
}

}  // namespace flott

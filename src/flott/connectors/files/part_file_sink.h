// Files that hold each record once: FileSink.
//
// Records go to parts in folders ("buckets"). A part is written under a hidden name, closed by the rolling
// policy, and gets its own name when the checkpoint is complete after that; from then on it never changes.
// Whoever reads files without a dot before their names sees whole records, each once, whatever failed
// meanwhile. Without checkpoints parts are published at the end of the input, or as soon as they are closed
// (DeliveryGuarantee::kAtLeastOnce, kNone).
//
//   orders.sinkTo(FileSink<Order>::forRowFormat("out/orders", CsvEncoder<Order>({.header = true}))
//                     .withBucketAssigner(DateTimeBuckets("yyyy-MM-dd"))
//                     .withRollingPolicy({.maxSize = MemorySize::mb(64), .onCheckpoint = true})
//                     .withOutputFileConfig("orders", ".csv"));
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "flott/connectors/files/bucket_assigners.h"
#include "flott/connectors/files/bulk_format.h"
#include "flott/connectors/files/parquet_encoder.h"
#include "flott/connectors/files/part_files.h"
#include "flott/formats/csv.h"
#include "flott/formats/record_encoder.h"

namespace flott {

/// LineEncoder, CsvEncoder, or a class of yours: begin() appends what a file begins with, append() a record.
template <typename E, typename T>
concept RowEncoder = std::copy_constructible<E> &&
    requires(const E& encoder, const T& record, std::string& out) {
  encoder.begin(out);
  encoder.append(record, out);
};

/// ParquetEncoder, or a class of yours: append() appends a record's bytes, of which the bulk format makes
/// files.
template <typename E, typename T>
concept BulkEncoder = std::copy_constructible<E> &&
    requires(const E& encoder, const T& record, std::string& out) {
  encoder.append(record, out);
  { encoder.bulkFormat() } -> std::convertible_to<std::shared_ptr<const BulkFormat>>;
};

template <typename Encoder>
std::shared_ptr<const BulkFormat> bulkFormatOf(const Encoder& encoder) {
  if constexpr (requires { encoder.bulkFormat(); }) {
    return encoder.bulkFormat();
  } else {
    return nullptr;
  }
}

template <typename A, typename T>
concept BucketAssigner = std::copy_constructible<A> &&
    (std::is_invocable_r_v<std::string, A&, const T&, const SinkContext&> ||
     std::is_invocable_r_v<std::string, A&, const T&> ||
     std::is_invocable_r_v<std::string_view, A&, const T&, const SinkContext&>);

template <typename T, typename Encoder, typename Assigner>
class PartFileWriter final : public CommittingWriter<T, PartFile> {
 public:
  PartFileWriter(std::string path, PartFileOptions options, Encoder encoder, Assigner assigner)
      : encoder_(std::move(encoder)),
        assigner_(std::move(assigner)),
        files_(std::move(path), std::move(options), headOf(encoder_), bulkFormatOf(encoder_)) {}

  void open(OperatorContext& context) override { files_.open(context); }
  void begin(const SinkAttempt& attempt) override { files_.begin(attempt); }
  void write(const T& record, const SinkContext& context) override {
    if constexpr (std::is_invocable_v<Assigner&, const T&, const SinkContext&>) {
      put(record, assigner_(record, context));
    } else {
      put(record, assigner_(record));
    }
  }
  bool ready() const override { return files_.ready(); }
  void resume() override { files_.resume(); }
  void endBatch() override { files_.endBatch(); }
  void onEndOfInput() override { files_.end(); }
  bool flush() override { return files_.flush(); }
  std::vector<PartFile> prepareCommit() override { return files_.takeClosed(); }
  void snapshotState(CheckpointId checkpoint) override { files_.cut(checkpoint); }

 private:
  static std::string headOf(const Encoder& encoder) {
    std::string head;
    if constexpr (requires { encoder.begin(head); }) encoder.begin(head);
    return head;
  }
  void put(const T& record, std::string_view bucket) {
    encoder_.append(record, files_.bufferOf(bucket));
    files_.appended();
  }

  const Encoder encoder_;
  Assigner assigner_;
  PartFiles files_;
};

template <typename T, typename Encoder = LineEncoder<T>, typename Assigner = BasePathBuckets>
class FileSink {
 public:
  /// A value: each method gives a sink that differs in this.
  FileSink(std::string path, Encoder encoder, Assigner assigner, PartFileOptions options,
           DeliveryGuarantee guarantee)
      : path_(std::move(path)),
        encoder_(std::move(encoder)),
        assigner_(std::move(assigner)),
        options_(std::move(options)),
        guarantee_(guarantee) {
    checkPartFiles(path_, options_, guarantee_);
  }

  template <typename E = LineEncoder<T>>
  static FileSink<T, E> forRowFormat(std::string path, E encoder = E()) {
    static_assert(
        RowEncoder<E, T>,
        "forRowFormat: the encoder must be copyable, with begin(std::string&) const and append(const "
        "T&, std::string&) const: LineEncoder<T>, CsvEncoder<T>, or a class of yours");
    return FileSink<T, E>(std::move(path), std::move(encoder), {}, {}, DeliveryGuarantee::kExactlyOnce);
  }

  /// Of files that are written as a whole: Parquet. They are closed at each barrier.
  template <typename E>
  static FileSink<T, E> forBulkFormat(std::string path, E encoder) {
    static_assert(
        BulkEncoder<E, T>,
        "forBulkFormat: the encoder must be copyable, with append(const T&, std::string&) const and "
        "bulkFormat() const: ParquetEncoder<T>, or a class of yours");
    return FileSink<T, E>(std::move(path), std::move(encoder), {}, {.rolling = kBulkRolling},
                          DeliveryGuarantee::kExactlyOnce);
  }

  template <typename A>
  FileSink<T, Encoder, A> withBucketAssigner(A assigner) const {
    static_assert(BucketAssigner<A, T>,
                  "withBucketAssigner: it takes const T&, and const SinkContext& if it likes, and returns a "
                  "std::string");
    return FileSink<T, Encoder, A>(path_, encoder_, std::move(assigner), options_, guarantee_);
  }
  FileSink withRollingPolicy(RollingPolicy policy) const {
    return with([&](FileSink& sink) { sink.options_.rolling = policy; });
  }
  FileSink withOutputFileConfig(std::string prefix, std::string suffix) const {
    return with([&](FileSink& sink) {
      sink.options_.prefix = std::move(prefix);
      sink.options_.suffix = std::move(suffix);
    });
  }
  /// Small files are joined before they are published.
  FileSink withCompaction(CompactionPolicy policy) const {
    return with([&](FileSink& sink) { sink.options_.compaction = policy; });
  }
  FileSink withMaxOpenFiles(int files) const {
    return with([&](FileSink& sink) { sink.options_.maxOpenFiles = files; });
  }
  FileSink withBufferSize(MemorySize size) const {
    return with([&](FileSink& sink) { sink.options_.bufferSize = size; });
  }
  /// kNone is kAtLeastOnce, which costs nothing more here.
  FileSink withDeliveryGuarantee(DeliveryGuarantee guarantee) const {
    return with([&](FileSink& sink) { sink.guarantee_ = guarantee; });
  }

  std::unique_ptr<PartFileWriter<T, Encoder, Assigner>> createWriter() const {
    return std::make_unique<PartFileWriter<T, Encoder, Assigner>>(path_, options_, encoder_, assigner_);
  }
  std::unique_ptr<PartFileCommitter> createCommitter() const {
    return std::make_unique<PartFileCommitter>(path_);
  }
  DeliveryGuarantee deliveryGuarantee() const {
    return guarantee_ == DeliveryGuarantee::kExactlyOnce ? guarantee_ : DeliveryGuarantee::kAtLeastOnce;
  }

 private:
  template <typename F>
  FileSink with(F&& change) const {
    FileSink sink = *this;
    change(sink);
    checkPartFiles(sink.path_, sink.options_, sink.guarantee_);
    return sink;
  }

  std::string path_;
  Encoder encoder_;
  Assigner assigner_;
  PartFileOptions options_;
  DeliveryGuarantee guarantee_;
};

}  // namespace flott

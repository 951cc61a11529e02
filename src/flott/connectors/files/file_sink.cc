#include "flott/connectors/files/file_sink.h"

#include <charconv>
#include <optional>

#include "flott/env/env.h"
#include "flott/operators/context.h"

namespace flott {
namespace {

constexpr std::string_view kPart = "part-";

/// The number of a part file; nothing for any other name.
std::optional<int> partNumber(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (!name.starts_with(kPart)) return std::nullopt;
  int number;
  const auto [end, problem] = std::from_chars(name.data() + kPart.size(), name.data() + name.size(), number);
  if (problem != std::errc() || end != name.data() + name.size() || number < 0) return std::nullopt;
  return number;
}

Error existsAlready(const std::string& path) {
  return Error(ErrorKind::kUser, "'" + path +
                                     "' exists already: remove it, give another path, or let it be replaced "
                                     "(FileSinkOptions::existing = ExistingFiles::kOverwrite)");
}

/// The file as off-loaded work sees it; one work at a time.
struct Target {
  Files& files;
  const std::string path;
  const ExistingFiles existing;
  const int subtask;
  const int parallelism;
  std::unique_ptr<FileWriter> writer;
  std::string bytes;

  void open() {
    std::string file = path;
    if (parallelism == 1) {
      if (existing == ExistingFiles::kRefuse && files.stat(path)) throw existsAlready(path);
      const size_t slash = path.rfind('/');
      if (slash != std::string::npos && slash > 0) files.makeFolders(path.substr(0, slash));
    } else {
      files.makeFolders(path);
      clearParts();
      file += "/" + std::string(kPart) + std::to_string(subtask);
    }
    writer = files.create(file, WriteMode::kCreate);
  }

  // Each subtask looks after the parts whose numbers are its own modulo the parallelism, so that none are
  // left of a run with more subtasks, and no two subtasks touch one file.
  void clearParts() {
    for (const FileInfo& file : files.listFolder(path)) {
      const std::optional<int> number = partNumber(file.path);
      if (!number || *number % parallelism != subtask) continue;
      if (existing == ExistingFiles::kRefuse) throw existsAlready(file.path);
      files.remove(file.path);
    }
  }
};

class FileSinkOperator final : public Operator {
 public:
  FileSinkOperator(std::string path, std::shared_ptr<const RecordEncoder> encoder,
                   const FileSinkOptions& options)
      : path_(std::move(path)), encoder_(std::move(encoder)), options_(options) {}

  void open(OperatorContext& context) override {
    context_ = &context;
    target_ = std::make_shared<Target>(Target{.files = context.env().files,
                                              .path = path_,
                                              .existing = options_.existing,
                                              .subtask = context.info().subtask.value,
                                              .parallelism = context.info().parallelism,
                                              .writer = nullptr,
                                              .bytes = {}});
    encoder_->begin(buffer_);
    offload([target = target_] { target->open(); });
  }

  Step onBatch(int, Batch batch, Output&) override {
    encoder_->encode(batch, buffer_);
    if (!alarmSet_) {
      alarmSet_ = true;
      context_->setAlarm(context_->processingTime() + options_.flushInterval);
    }
    return progress();
  }

  Step onProcessingTime(Timestamp, Output&) override {
    alarmSet_ = false;
    flush_ = true;
    return progress();
  }

  Step onEndOfInput(int, Output&) override {
    ended_ = true;
    return progress();
  }

  Step resume(Output&) override { return progress(); }

  Step beforeBarrier(CheckpointId, Output&) override {
    flush_ = barrier_ = true;
    return progress();
  }

 private:
  Step progress() {
    const bool full = buffer_.size() >= options_.bufferSize.bytes;
    if (!busy_ && !closed_ && (full || flush_ || ended_)) write();
    if (ended_) return closed_ && !busy_ ? Step::kDone : Step::kWait;
    if (barrier_) {
      barrier_ = busy_ || flush_;
      return barrier_ ? Step::kWait : Step::kDone;
    }
    return busy_ && buffer_.size() >= options_.bufferSize.bytes ? Step::kWait : Step::kDone;
  }

  void write() {
    std::swap(buffer_, target_->bytes);
    closed_ = ended_;
    flush_ = false;
    offload([target = target_, close = ended_] {
      target->writer->write(target->bytes);
      target->bytes.clear();
      close ? target->writer->close() : target->writer->flush();
    });
  }

  void offload(MoveFunction<void()> work) {
    busy_ = true;
    context_->offload("write to '" + path_ + "'", std::move(work), [this] {
      busy_ = false;
      context_->askToResume();
    });
  }

  const std::string path_;
  const std::shared_ptr<const RecordEncoder> encoder_;
  const FileSinkOptions options_;
  OperatorContext* context_ = nullptr;
  /// Shared with work under way.
  std::shared_ptr<Target> target_;
  std::string buffer_;
  bool busy_ = false;     // work is under way
  bool flush_ = false;    // the buffer is to be written, however little is in it
  bool barrier_ = false;  // waits until all is in the file
  bool ended_ = false;
  bool closed_ = false;  // the last work has been submitted
  bool alarmSet_ = false;
};

class FileSinkFactory final : public OperatorFactory {
 public:
  FileSinkFactory(std::string path, std::shared_ptr<const RecordEncoder> encoder,
                  const FileSinkOptions& options)
      : path_(std::move(path)), encoder_(std::move(encoder)), options_(options) {}
  std::unique_ptr<Operator> create() const override {
    return std::make_unique<FileSinkOperator>(path_, encoder_, options_);
  }

 private:
  const std::string path_;
  const std::shared_ptr<const RecordEncoder> encoder_;
  const FileSinkOptions options_;
};

}  // namespace

std::shared_ptr<const OperatorFactory> fileSink(std::string path,
                                                std::shared_ptr<const RecordEncoder> encoder,
                                                FileSinkOptions options) {
  if (path.empty()) throw Error(ErrorKind::kUser, "a file sink has no path");
  return std::make_shared<FileSinkFactory>(std::move(path), std::move(encoder), options);
}

}  // namespace flott

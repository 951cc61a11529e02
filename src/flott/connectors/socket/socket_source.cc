#include "flott/connectors/socket/socket_source.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "flott/base/memory_size.h"
#include "flott/operators/static_enumerator.h"

namespace flott {
namespace {

constexpr size_t kBlockBytes = 64 * 1024;
// A read that is under way waits so long for bytes; then it gives its thread back for a moment.
constexpr Duration kReadWait = Duration::seconds(30);
constexpr int64_t kQuietNanos = 10'000'000;

// Cuts bytes into records, whatever pieces they come in.
class RecordCutter {
 public:
  RecordCutter(const SocketTextOptions& options, const std::string& address)
      : options_(options), address_(address) {}

  void add(std::string_view bytes) {
    bytes_.erase(0, begin_);
    scanned_ -= begin_;
    begin_ = 0;
    bytes_.append(bytes);
  }

  /// The next complete record, good until add().
  std::optional<std::string_view> next() {
    const size_t end = bytes_.find(options_.delimiter, scanned_);
    if (end == std::string::npos) {
      // The beginning of a delimiter may be there already.
      const size_t keep = std::min(bytes_.size() - begin_, options_.delimiter.size() - 1);
      scanned_ = std::max(scanned_, bytes_.size() - keep);
      checkSize(bytes_.size() - begin_);
      return std::nullopt;
    }
    const std::string_view record = cut(end);
    begin_ = scanned_ = end + options_.delimiter.size();
    return record;
  }

  /// What is behind the last delimiter.
  std::optional<std::string_view> rest() {
    if (begin_ == bytes_.size()) return std::nullopt;
    const std::string_view record = cut(bytes_.size());
    begin_ = scanned_ = bytes_.size();
    return record;
  }
  /// Forgets what is behind the last delimiter; returns its size.
  size_t dropRest() { return bytes_.size() - std::exchange(begin_, scanned_ = bytes_.size()); }

 private:
  std::string_view cut(size_t end) {
    checkSize(end - begin_);
    ++records_;
    std::string_view record(bytes_.data() + begin_, end - begin_);
    if (options_.delimiter == "\n" && record.ends_with('\r')) record.remove_suffix(1);
    return record;
  }

  void checkSize(size_t size) const {
    if (size <= options_.maxRecordBytes) return;
    throw Error(ErrorKind::kUser, "line " + std::to_string(records_ + 1) + " from " + address_ +
                                      " is longer than " + toString(MemorySize(options_.maxRecordBytes)) +
                                      ": does the server send the delimiter that the job looks for?");
  }

  const SocketTextOptions& options_;
  const std::string& address_;
  std::string bytes_;
  size_t begin_ = 0;    // of the next record
  size_t scanned_ = 0;  // no delimiter begins before this
  uint64_t records_ = 0;
};

class SocketReader final : public SourceReader {
 public:
  explicit SocketReader(const SocketTextOptions& options) : options_(options) {}

  void open(SourceReaderContext& context) override {
    context_ = &context;
    output_.open(context.pools());
    socket_.emplace(options_.address, context);
    cutter_.emplace(options_, socket_->address());
  }

  Poll poll(Output& output) override {
    output_.start(output);
    const Poll result = takeRecords() ? Poll::kMore : readMore();
    output_.send();
    return result;
  }

  void close() noexcept override {
    if (socket_) socket_->close();
  }
  void addSplits(std::vector<SourceSplit>) override {}
  void onNoMoreSplits() override {}
  std::vector<SourceSplit> snapshot() override { return {}; }

 private:
  // One read. The buffer is used again by the next.
  struct Reading {
    std::vector<char> block = std::vector<char>(kBlockBytes);
    size_t size = 0;
    bool ended = false;
    std::optional<Error> error;
  };

  /// Whether a batch is full.
  bool takeRecords() {
    while (!output_.full()) {
      const std::optional<std::string_view> record = cutter_->next();
      if (!record) return false;
      output_.rows().slot().assign(*record);
    }
    return true;
  }

  Poll readMore() {
    if (peerEnded_) return endOfPeer();
    if (busy_) return Poll::kIdle;
    if (context_->monotonicNanos() < quietUntil_) {
      context_->wakeAtNanos(quietUntil_);
      return Poll::kIdle;
    }
    if (socket_->open()) startReading();
    return Poll::kIdle;
  }

  Poll endOfPeer() {
    if (const auto rest = cutter_->rest()) output_.rows().slot().assign(*rest);
    if (!socket_->mayRetry()) return Poll::kEnd;
    peerEnded_ = false;
    socket_->lost(Error(ErrorKind::kTransient, socket_->address() + " has closed the connection"));
    return Poll::kIdle;
  }

  void startReading();
  void received();

  const SocketTextOptions options_;
  SourceReaderContext* context_ = nullptr;
  SourceOutput<std::string> output_;
  std::optional<ReconnectingSocket> socket_;
  std::optional<RecordCutter> cutter_;
  const std::shared_ptr<Reading> reading_ = std::make_shared<Reading>();  // off-loaded work holds on to it
  bool busy_ = false;                                                     // a read is under way
  bool peerEnded_ = false;
  int64_t quietUntil_ = 0;
};

void SocketReader::startReading() {
  reading_->size = 0;
  busy_ = true;
  const auto work = [reading = reading_, connection = socket_->connection()] {
    try {
      if (!connection->waitReadable(kReadWait)) return;
      reading->size = connection->read(reading->block);
      reading->ended = reading->size == 0;
    } catch (const Error& error) {
      reading->error = error;
    }
  };
  context_->offload("read from " + socket_->address(), work, [this] { received(); });
}

void SocketReader::received() {
  busy_ = false;
  if (const std::optional<Error> error = std::exchange(reading_->error, std::nullopt)) {
    if (const size_t dropped = cutter_->dropRest(); dropped > 0) {
      context_->warn("the last " + std::to_string(dropped) + " bytes from " + socket_->address() +
                     " are dropped: the connection broke before the end of the line");
    }
    return socket_->lost(*error);
  }
  peerEnded_ = std::exchange(reading_->ended, false);
  if (reading_->size > 0) {
    socket_->worked();
    cutter_->add({reading_->block.data(), reading_->size});
  } else {
    quietUntil_ = context_->monotonicNanos() + kQuietNanos;
  }
}

class SocketSourceFactory final : public SourceFactory {
 public:
  explicit SocketSourceFactory(SocketTextOptions options) : options_(std::move(options)) {}
  Boundedness boundedness() const override { return Boundedness::kContinuousUnbounded; }
  std::unique_ptr<SplitEnumerator> createEnumerator(const std::string&) const override {
    return std::make_unique<NoSplits>();
  }
  std::unique_ptr<SourceReader> createReader() const override {
    return std::make_unique<SocketReader>(options_);
  }

 private:
  const SocketTextOptions options_;
};

}  // namespace

SourceOf<std::string> socketTextSource(SocketTextOptions options) {
  if (options.delimiter.empty()) {
    throw Error(ErrorKind::kUser,
                "socketTextStream: the delimiter is empty: give the text that ends a record");
  }
  return {.factory = std::make_shared<SocketSourceFactory>(std::move(options)),
          .name = "Socket Stream",
          .parallel = false};
}

}  // namespace flott

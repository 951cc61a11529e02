// The ends of a stream: printing, files, sockets, functions, and results back to the program.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flott/api/data_stream.h"
#include "flott/api/job_client.h"
#include "flott/connectors/collect/collect_buffer.h"
#include "flott/connectors/discard/discard_sink.h"
#include "flott/connectors/files/file_sink.h"
#include "flott/connectors/files/part_file_sink.h"
#include "flott/connectors/function/function_sink.h"
#include "flott/connectors/postgres/postgres_sink.h"
#include "flott/connectors/print/print_sink.h"
#include "flott/connectors/socket/socket_sink.h"
#include "flott/operators/committing_sink.h"
#include "flott/operators/sink.h"

namespace flott {

/// The records of a running job, in the order in which they arrive. Destroying it cancels the job if it still
/// runs.
///
///   auto results = stream.collectAsync("job");
///   while (auto record = results.next()) use(*record);
template <typename T>
class CollectIterator {
 public:
  CollectIterator(CollectBuffer<T> buffer, JobClient client)
      : buffer_(std::move(buffer)), client_(std::move(client)) {}

  /// Waits for the next record; nothing at the end of the job. Throws the cause when the job failed.
  std::optional<T> next() {
    for (Duration wait = Duration::millis(0);; wait = Duration::millis(1)) {
      if (std::optional<T> value = buffer_.poll()) return value;
      if (!client_.waitFor(wait)) continue;
      if (std::optional<T> last = buffer_.poll()) return last;
      client_.result();
      return std::nullopt;
    }
  }
  JobClient& client() { return client_; }

 private:
  CollectBuffer<T> buffer_;
  JobClient client_;
};

template <typename T>
template <typename S>
DataStreamSink DataStream<T>::sinkTo(S sink) const {
  if constexpr (std::is_convertible_v<S, std::shared_ptr<const OperatorFactory>>) {
    return transformToSink("Sink", std::move(sink));
  } else {
    static_assert(Sink<S, T>,
                  "sinkTo: the sink must be copyable and have createWriter(), which returns a "
                  "std::unique_ptr to a class "
                  "derived from SinkWriter<the stream's record>");
    if constexpr (requires { sink.createCommitter(); }) {
      static_assert(CommittingSink<S, T>,
                    "sinkTo: a sink with createCommitter() needs a writer derived from CommittingWriter<the "
                    "stream's record, C> and a committer derived from Committer<C>, for one type C");
      return transformToSink("Sink", committingSinkOperator<T>(std::move(sink)));
    } else {
      return transformToSink("Sink", sinkOperator<T>(std::move(sink)));
    }
  }
}

template <typename T>
template <typename F>
DataStreamSink DataStream<T>::addSink(F function) const {
  return sinkTo(FunctionSink<T, F>(std::move(function))).name("Function");
}

template <typename T>
DataStreamSink DataStream<T>::print(std::string identifier) const {
  return sinkTo(PrintSink<T>(std::move(identifier))).name("Print to Std. Out");
}

template <typename T>
DataStreamSink DataStream<T>::printToErr(std::string identifier) const {
  return sinkTo(PrintSink<T>(std::move(identifier), PrintTarget::kErr)).name("Print to Std. Err");
}

template <typename T>
DataStreamSink DataStream<T>::writeAsText(std::string path, FileSinkOptions options) const {
  return transformToSink("Text File", textFileSink<T>(std::move(path), options));
}

template <typename T>
DataStreamSink DataStream<T>::writeAsCsv(std::string path, CsvOptions csv, FileSinkOptions options) const {
  return transformToSink("CSV File", csvFileSink<T>(std::move(path), std::move(csv), options));
}

template <typename T>
template <typename F>
DataStreamSink DataStream<T>::writeToSocket(std::string host, int64_t port, F encode) const {
  return sinkTo(SocketSink<T, F>(socketAddress(std::move(host), port), std::move(encode))).name("Socket");
}

template <typename T>
CollectIterator<T> DataStream<T>::collectAsync(const std::string& jobName) const {
  CollectBuffer<T> buffer;
  transformToSink("Collect", buffer.sink()).setParallelism(1);
  return CollectIterator<T>(std::move(buffer), startJob(handle_.program(), jobName, true));
}

template <typename T>
std::vector<T> DataStream<T>::executeAndCollect(const std::string& jobName) const {
  std::vector<T> all;
  CollectIterator<T> results = collectAsync(jobName);
  while (std::optional<T> value = results.next()) all.push_back(*std::move(value));
  return all;
}

}  // namespace flott

// Where every program begins: the environment makes sources and runs the job they lead to.
//
//   int main(int argc, char** argv) {
//     auto env = StreamExecutionEnvironment::fromArgs(argc, argv);
//     env.fromElements<std::string>({"to be or not to be"}) … .print();
//     env.execute("Word count");
//   }
//
// Used by the user's main thread. Several jobs may be built and executed one after the other.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "flott/api/columnar_stream.h"
#include "flott/api/data_stream.h"
#include "flott/api/execution_host.h"
#include "flott/api/job_client.h"
#include "flott/api/job_listener.h"
#include "flott/api/parameters.h"
#include "flott/api/program.h"
#include "flott/connectors/collection/collection_source.h"
#include "flott/connectors/datagen/data_generator.h"
#include "flott/connectors/files/file_source.h"
#include "flott/connectors/function/function_source.h"
#include "flott/connectors/sequence/sequence_source.h"
#include "flott/connectors/socket/socket_source.h"
#include "flott/operators/source_watermarks.h"

namespace flott {

enum class RuntimeExecutionMode : uint8_t {
  kStreaming,
  kBatch,      // refused: a bounded input gives its final results in kStreaming, too
  kAutomatic,  // as kStreaming
};

class StreamExecutionEnvironment {
 public:
  /// Reads `-D key=value`, `--config FILE`, `--explain` and `--help`; the rest of the arguments is for the
  /// program: parameters(). For use in main(): an argument that is wrong, and an Error that main lets
  /// through, end the process with a message on standard error and status 1. With `--explain` the first job
  /// that is started, in whichever way, prints its plan instead, and the process ends with status 0.
  static StreamExecutionEnvironment fromArgs(int argc, const char* const* argv);
  static StreamExecutionEnvironment getExecutionEnvironment(Configuration configuration = {});
  static StreamExecutionEnvironment createLocalEnvironment(int parallelism);
  /// Serves REST and a web page about its jobs while it lives: at http://localhost:8081, or at rest.port of
  /// the configuration. As any environment does with flott.web-ui.enabled.
  static StreamExecutionEnvironment createLocalEnvironmentWithWebUI(Configuration configuration = {});

  /// Checks the configuration: an unknown key is an Error that suggests the nearest.
  StreamExecutionEnvironment(std::shared_ptr<ExecutionHost> host, Configuration configuration,
                             Parameters parameters = {});

  const Parameters& parameters() const { return parameters_; }
  Configuration& configuration() { return program_->configuration(); }
  /// Takes over all entries, which must be known options.
  void configure(const Configuration& configuration);

  StreamExecutionEnvironment& setParallelism(int parallelism);
  int parallelism() const;
  /// The number of key groups of operators that were given none, a power of two; without it, it follows from
  /// the parallelism. Throws Error(kUser) unless from 1 to 32768.
  StreamExecutionEnvironment& setMaxParallelism(int maxParallelism);
  /// Negative: only full batches are sent; zero: after every step.
  StreamExecutionEnvironment& setBufferTimeout(Duration timeout);
  StreamExecutionEnvironment& disableOperatorChaining();
  StreamExecutionEnvironment& setRuntimeMode(RuntimeExecutionMode mode);
  /// What every function may read: RuntimeContext::getGlobalJobParameters(). In place of those set before.
  StreamExecutionEnvironment& setGlobalJobParameters(const Parameters& parameters);
  /// Functions find the file or folder by name: RuntimeContext::getCachedFile(name). That it is there is
  /// checked when a job is started. Throws Error(kUser) for a name that has another path.
  StreamExecutionEnvironment& registerCachedFile(const std::string& path, const std::string& name);
  /// What slots of this group have, for all operators with slotSharingGroup(name). Throws Error(kUser) for a
  /// group that has other resources already.
  StreamExecutionEnvironment& registerSlotSharingGroup(const SlotSharingGroup& group);
  /// Told of all jobs that are started from now on.
  StreamExecutionEnvironment& registerJobListener(std::shared_ptr<JobListener> listener);

  // Sources.

  /// Any source: a ready one from connectors/, or sourceOf(your own).
  template <typename T>
  SingleOutputStreamOperator<T> fromSource(SourceOf<T> source) const {
    return SingleOutputStreamOperator<T>(
        addSource(std::move(source.factory), std::move(source.name), recordType<T>(), source.parallel));
  }
  /// The same with event time: records get their timestamps, and each split of the source has a watermark of
  /// its own (operators/watermark_strategy.h).
  template <typename T, typename Generator, typename Assigner>
  SingleOutputStreamOperator<T> fromSource(SourceOf<T> source,
                                           WatermarkStrategy<T, Generator, Assigner> strategy) const {
    return fromSource(withWatermarks(std::move(source), std::move(strategy)));
  }
  /// The values in their order, by one subtask.
  template <typename T>
  SingleOutputStreamOperator<T> fromCollection(std::vector<T> values) const {
    return fromSource(collectionSource(std::move(values)));
  }
  template <typename T>
  SingleOutputStreamOperator<T> fromElements(std::initializer_list<T> values) const {
    return fromCollection(std::vector<T>(values));
  }
  /// The values, by all subtasks together: each takes contiguous parts in their order.
  template <typename T>
  SingleOutputStreamOperator<T> fromParallelCollection(std::vector<T> values) const {
    return fromSource(parallelCollectionSource(std::move(values)));
  }
  /// fromCollection() and fromElements() under Flink's newer name.
  template <typename T>
  SingleOutputStreamOperator<T> fromData(std::vector<T> values) const {
    return fromCollection(std::move(values));
  }
  template <typename T>
  SingleOutputStreamOperator<T> fromData(std::initializer_list<T> values) const {
    return fromElements(values);
  }
  /// The numbers from `first` to `last`, both included, by all subtasks together.
  SingleOutputStreamOperator<int64_t> fromSequence(int64_t first, int64_t last) const;
  /// f(SourceOutput<T>&) -> bool, called again and again until it returns false; must not block.
  template <typename T, typename F>
  SingleOutputStreamOperator<T> fromFunction(F function) const {
    return fromSource(functionSource<T>(std::move(function)));
  }
  /// f(index) -> T for the indices from 0; options say how many and how many a second.
  template <typename T, typename F>
  SingleOutputStreamOperator<T> fromGenerator(F function, GeneratorOptions options = {}) const {
    return fromSource(dataGeneratorSource<T>(std::move(function), options));
  }

  /// Lines of text files: a file, a folder with all below it, or a pattern; also gzip and zstd.
  SingleOutputStreamOperator<std::string> readTextFile(FilePaths paths,
                                                       FileSourceOptions options = {}) const {
    return fromSource(textFiles(std::move(paths), options));
  }
  /// Rows of CSV files as structs: members by header names, or in order.
  template <typename T>
  SingleOutputStreamOperator<T> readCsvFile(FilePaths paths, CsvOptions csv = {},
                                            FileSourceOptions options = {}) const {
    return fromSource(csvFiles<T>(std::move(paths), std::move(csv), options));
  }
  /// Rows of Parquet files as structs: members by column names.
  template <typename T>
  SingleOutputStreamOperator<T> readParquetFile(FilePaths paths, FileSourceOptions options = {}) const {
    return fromSource(parquetFiles<T>(std::move(paths), options));
  }
  /// Rows of Parquet files as columns (columnar_stream.h): only these are read; without any, all.
  ColumnarStream readParquetColumns(FilePaths paths, std::vector<std::string> columns = {},
                                    FileSourceOptions options = {}) const {
    return ColumnarStream(fromSource(columnarParquet(std::move(paths), std::move(columns), options)));
  }
  /// Rows of CSV files as columns, those that T has fields for.
  template <typename T>
  ColumnarStream readCsvColumns(FilePaths paths, CsvOptions csv = {}, FileSourceOptions options = {}) const {
    return ColumnarStream(
        fromSource(columnarCsv(std::move(paths), schemaOf(describe<T>()), std::move(csv), options)));
  }
  /// Lines that a TCP server sends. A connection that fails is tried again so often in a row, with a growing
  /// pause; -1 for ever.
  SingleOutputStreamOperator<std::string> socketTextStream(std::string host, int64_t port,
                                                           std::string delimiter = "\n",
                                                           int64_t maxRetries = 0) const {
    return fromSource(socketTextSource(
        {.address = socketAddress(std::move(host), port, maxRetries), .delimiter = std::move(delimiter)}));
  }

  // Running.

  /// Runs the job and returns when it has ended. Throws the first cause when it failed. Ctrl-C and SIGTERM
  /// cancel it: the result then has status kCancelled.
  JobExecutionResult execute(const std::string& jobName = "");
  /// Starts the job and returns at once. Ctrl-C and SIGTERM cancel it, too.
  JobClient executeAsync(const std::string& jobName = "");
  /// The plan of the job so far as Flink's JSON; or as an indented tree for people.
  std::string executionPlan() const;
  std::string explain() const;

  /// Where the web page about the jobs is: "http://127.0.0.1:8081"; empty before the first job, and without
  /// such a page.
  std::string webInterfaceUrl() const;

  const std::shared_ptr<ExecutionHost>& host() const { return host_; }
  const std::shared_ptr<Program>& program() const { return program_; }

 private:
  StreamHandle addSource(std::shared_ptr<const SourceFactory> factory, std::string name,
                         RecordType outputType, bool parallel) const;
  JobExecutionResult awaited(JobClient& client) const;

  std::shared_ptr<ExecutionHost> host_;
  std::shared_ptr<Program> program_;
  Parameters parameters_;
};

}  // namespace flott

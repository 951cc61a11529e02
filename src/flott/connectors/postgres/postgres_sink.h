// Rows in a table of a PostgreSQL server: inserted, exactly once if need be, or upserted by key.
//
// Each field of the record goes to the column of its name; withColumns() takes a function instead. An upsert
// writes the row of a key again after a failure, which changes nothing. Inserted rows are there once with
// DeliveryGuarantee::kExactlyOnce: they are written in a transaction that is prepared at the barrier and
// committed when the checkpoint is complete. Else they are sent again after a failure.
//
//   struct Total { std::string user; double amount; };
//   totals.sinkTo(PostgresSink<Total>::upsert("host=localhost dbname=shop", "totals", {"user"}));
//   orders.sinkTo(PostgresSink<Order>::insert("host=localhost dbname=shop", "sales.orders")
//                     .withDeliveryGuarantee(DeliveryGuarantee::kExactlyOnce)
//                     .withColumnName("at", "ordered_at"));
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "flott/connectors/postgres/postgres_outlet.h"
#include "flott/data/encodable.h"

namespace flott {
namespace postgres {

/// Instantiated for each field of a record that is written by its fields.
template <typename Struct, typename Field, typename T>
struct ColumnOf {
  static_assert(
      PostgresValue<T>,
      "a field that becomes a column must be bool, a number, std::string, Timestamp, a time point of "
      "std::chrono::system_clock, std::vector<uint8_t>, an enum, or std::optional of one of these: "
      "name the columns and their values with withColumns(names, function)");
  static constexpr bool kFits = PostgresValue<T>;
};

template <typename T, typename... Ps, size_t... i>
consteval bool allFit(reflect::TypeList<Ps...>, std::index_sequence<i...>) {
  return (ColumnOf<T, decltype(reflect::nameOfField<T, i>()), Ps>::kFits && ...);
}

template <typename T>
consteval bool isRecord() {
  if constexpr (reflect::kShape<T> == Shape::kStruct) {
    return allFit<T>(reflect::Parts<T>{}, std::make_index_sequence<reflect::Parts<T>::kSize>{});
  } else {
    return false;
  }
}

}  // namespace postgres

/// A record's fields, in their order.
template <typename T>
struct PostgresFields {
  void operator()(const T& record, PostgresRow& row) const {
    static_assert(reflect::kShape<T> == Shape::kStruct,
                  "PostgresSink: this record is no struct with a field for each column: name the columns and "
                  "their values with withColumns(names, function)");
    if constexpr (postgres::isRecord<T>()) {
      reflect::visitParts(record, [&row](const auto&... fields) { (row.add(fields), ...); });
    }
  }
};

template <typename T, typename Fill>
class PostgresWriter final : public CommittingWriter<T, PostgresTransaction> {
 public:
  PostgresWriter(PostgresOptions options, Fill fill) : fill_(std::move(fill)), outlet_(std::move(options)) {}

  void open(OperatorContext& context) override { outlet_.open(context); }
  void begin(const SinkAttempt& attempt) override { outlet_.begin(attempt); }
  void write(const T& record, const SinkContext&) override {
    PostgresRow row = outlet_.row();
    fill_(record, row);
    outlet_.endRow();
  }
  bool ready() const override { return outlet_.ready(); }
  void resume() override { outlet_.resume(); }
  void endBatch() override { outlet_.endBatch(); }
  bool flush() override { return outlet_.flush(); }
  std::vector<PostgresTransaction> prepareCommit() override { return outlet_.takePrepared(); }
  void snapshotState(CheckpointId checkpoint) override { outlet_.cut(checkpoint); }
  void close() noexcept override { outlet_.close(); }

 private:
  Fill fill_;
  PostgresOutlet outlet_;
};

template <typename T, typename Fill = PostgresFields<T>>
class PostgresSink {
 public:
  /// Rows that are added. `table` as in SQL, with its schema if it takes one.
  static PostgresSink insert(std::string connection, std::string table) {
    return PostgresSink(optionsFor(std::move(connection), std::move(table)), Fill());
  }
  /// Rows that take the place of those with the same values in `keys`, on which the table needs a primary key
  /// or a unique constraint.
  static PostgresSink upsert(std::string connection, std::string table, std::vector<std::string> keys) {
    PostgresOptions options = optionsFor(std::move(connection), std::move(table));
    if (keys.empty()) {
      throw Error(ErrorKind::kUser, "the sink for table '" + options.table +
                                        "' upserts without keys: name the columns that tell its rows apart");
    }
    options.keys = std::move(keys);
    return PostgresSink(std::move(options), Fill());
  }

  /// A value: each method gives a sink that differs in this.
  PostgresSink(PostgresOptions options, Fill fill) : options_(std::move(options)), fill_(std::move(fill)) {
    checkPostgresOptions(options_);
  }

  /// `fill` is called with a record and a PostgresRow, to which it adds a value for each column.
  template <typename F>
  PostgresSink<T, F> withColumns(std::vector<std::string> names, F fill) const {
    static_assert(std::copy_constructible<F> && std::is_invocable_v<F&, const T&, PostgresRow&>,
                  "withColumns: the function takes const T& and PostgresRow&, and calls row.add(value) for "
                  "each column");
    PostgresOptions options = options_;
    options.columns = std::move(names);
    checkPostgresColumns(options);
    return PostgresSink<T, F>(std::move(options), std::move(fill));
  }
  /// The column for a field, where it has another name.
  PostgresSink withColumnName(std::string_view field, const std::string& column) const {
    return with([&](PostgresOptions& options) { renameColumn(options, field, column); });
  }
  PostgresSink withDeliveryGuarantee(DeliveryGuarantee guarantee) const {
    return with([&](PostgresOptions& options) { options.guarantee = guarantee; });
  }
  PostgresSink withBatching(PostgresBatching batching) const {
    return with([&](PostgresOptions& options) { options.batching = batching; });
  }
  PostgresSink withRetries(PostgresRetries retries) const {
    return with([&](PostgresOptions& options) { options.retries = retries; });
  }
  /// For tests: something that stands in for the server.
  PostgresSink withServer(std::shared_ptr<const PostgresServer> server) const {
    return with([&](PostgresOptions& options) { options.server = std::move(server); });
  }

  std::unique_ptr<PostgresWriter<T, Fill>> createWriter() const {
    return std::make_unique<PostgresWriter<T, Fill>>(options_, fill_);
  }
  std::unique_ptr<PostgresCommitter> createCommitter() const {
    return std::make_unique<PostgresCommitter>(options_);
  }
  /// A barrier costs kNone nothing more than kAtLeastOnce.
  DeliveryGuarantee deliveryGuarantee() const {
    return options_.exactlyOnce() ? DeliveryGuarantee::kExactlyOnce : DeliveryGuarantee::kAtLeastOnce;
  }
  CommitOptions commitOptions() const {
    return {.retries = options_.retries.retries,
            .firstPause = options_.retries.firstPause,
            .longestPause = options_.retries.longestPause};
  }

 private:
  static PostgresOptions optionsFor(std::string connection, std::string table) {
    PostgresOptions options{.connection = std::move(connection), .table = std::move(table)};
    if constexpr (reflect::kShape<T> == Shape::kStruct) {
      for (const std::string_view name : reflect::Fields<T>::names()) options.columns.emplace_back(name);
    }
    options.server = libpqServer();
    return options;
  }
  template <typename F>
  PostgresSink with(F&& change) const {
    PostgresOptions options = options_;
    change(options);
    return PostgresSink(std::move(options), fill_);
  }

  PostgresOptions options_;
  Fill fill_;
};

}  // namespace flott

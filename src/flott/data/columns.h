// The columnar payload of a batch: an Arrow record batch, of which a selection vector may name the rows that
// count.
//
// Columnar sources make them, columnar operators work on whole columns. A filter writes a selection instead
// of copying rows; scatter() and clone() share the columns, which never change; append() only remembers its
// pieces until somebody looks. What must be small or whole (the wire, a sink) copies the selected rows out.
// Owned by one task at a time; columns may be shared between tasks, since Arrow counts references atomically.
//
//   Batch batch = columnsPool(pools).acquire();
//   columnsOf(batch).assign(records);
//   columnsOf(batch).select({0, 3, 4});     // now three records
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flott/data/batch.h"
#include "flott/data/pool.h"

namespace flott {

inline constexpr char kColumnsTag = 0;

class Columns final : public BatchBody {
 public:
  /// Rows a source puts into a batch.
  static constexpr size_t kRows = 4096;

  Columns();
  ~Columns() override;

  /// Replaces the records; the sides and the special columns go.
  void assign(std::shared_ptr<arrow::RecordBatch> records);
  /// The columns with all their rows, also those that the selection leaves out. Null in an empty batch.
  const std::shared_ptr<arrow::RecordBatch>& records() const;
  /// Rows of records() that are records of this batch, ascending; null: all of them.
  const std::vector<uint32_t>* selection() const;
  /// Keeps of the columns only these rows of records(), given in ascending order. The sides must be off.
  void select(std::vector<uint32_t> rows);
  /// Copies the selected rows out, so that records() has no others.
  void compact();

  /// Column with the event time of each row: a timestamp, or int64 milliseconds. Empty when there is none.
  /// Throws Error(kUser) when there is no such column of such a type.
  void setTimeColumn(const std::string& name);
  const std::string& timeColumn() const { return timeColumn_; }
  /// int64 column of a changelog: how often the row is there (+1) or taken back (-1). Empty: append-only.
  void setWeightColumn(const std::string& name);
  const std::string& weightColumn() const { return weightColumn_; }

  size_t bytes() const override;
  Batch splitOff(size_t at, BatchPools& pools) override;
  void scatter(const uint32_t* targets, size_t count, Batch* out, OutputPools pools) override;
  /// The columns of `other` must have the same names and types, or this throws Error(kUser).
  void append(Batch other) override;
  Batch clone(BatchPools& pools) const override;
  BatchPool& poolIn(BatchPools& pools) const override;
  void encode(ByteWriter& out) const override;
  void decode(ByteReader& in) override;
  void clear() override;
  std::string print(size_t i) const override;
  const TypeDescription& description() const override;

 private:
  struct Piece;

  void setPiece(Piece piece);
  void adopt(const Columns& from);
  void addPiece(Piece piece, const Columns& from);
  void merge() const;
  void takeRows(const Columns& from, std::vector<uint32_t> rows);

  /// More than one only between append() and the next look.
  mutable std::vector<Piece> pieces_;
  std::string timeColumn_;
  std::string weightColumn_;
  mutable std::unique_ptr<TypeDescription> description_;
};

BatchPool& columnsPool(BatchPools& pools);

/// The columns of a columnar batch. The type is checked.
Columns& columnsOf(Batch& batch);

/// What a stream of columns is in a plan, where its columns are not known yet: "columns".
template <typename T>
const TypeDescription& describe();
template <>
const TypeDescription& describe<Columns>();

/// A struct with a field for each column; one that may be null is optional.
TypeDescription describeSchema(const arrow::Schema& schema);
/// The columns for the fields of a struct of plain values (also optional ones). Throws Error(kUser) that
/// names a field of any other type.
std::shared_ptr<arrow::Schema> schemaOf(const TypeDescription& description);

/// Index of a column. Throws unknownColumn().
int columnIndex(const arrow::Schema& schema, const std::string& name);
/// Error(kUser) that lists the columns there are and the nearest name.
Error unknownColumn(const std::string& name, std::span<const std::string_view> known);

}  // namespace flott

#include "flott/data/columns.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

#include "flott/base/bytes.h"
#include "flott/data/arrow_status.h"
#include "flott/data/type_description.h"

namespace flott {
namespace {

using RecordBatchPtr = std::shared_ptr<arrow::RecordBatch>;

// The indices are looked at only during the call.
RecordBatchPtr take(const RecordBatchPtr& records, const std::vector<uint32_t>& rows) {
  auto buffer = std::make_shared<arrow::Buffer>(reinterpret_cast<const uint8_t*>(rows.data()),
                                                static_cast<int64_t>(rows.size() * sizeof(uint32_t)));
  auto indices = std::make_shared<arrow::UInt32Array>(static_cast<int64_t>(rows.size()), std::move(buffer));
  const arrow::Datum taken = valueOf(
      arrow::compute::Take(records, indices, arrow::compute::TakeOptions::NoBoundsCheck()), "selecting rows");
  return taken.record_batch();
}

bool isText(const arrow::DataType& type) {
  return arrow::is_string(type.id()) || type.id() == arrow::Type::STRING_VIEW;
}

}  // namespace

struct Columns::Piece {
  RecordBatchPtr records;
  std::optional<std::vector<uint32_t>> rows;  // all if absent

  size_t size() const {
    return rows ? rows->size() : records == nullptr ? 0 : static_cast<size_t>(records->num_rows());
  }
  uint32_t rowAt(size_t i) const { return rows ? (*rows)[i] : static_cast<uint32_t>(i); }
  RecordBatchPtr whole() const { return rows ? take(records, *rows) : records; }
  // The share of the columns' memory that belongs to the selected rows.
  size_t bytes() const {
    if (records == nullptr || records->num_rows() == 0) return 0;
    const auto all = static_cast<double>(arrow::util::ReferencedBufferSize(*records).ValueOr(0));
    return static_cast<size_t>(all * static_cast<double>(size()) / static_cast<double>(records->num_rows()));
  }
};

Columns::Columns() : BatchBody(&kColumnsTag, kRows) {}
Columns::~Columns() = default;

BatchPool& columnsPool(BatchPools& pools) {
  return pools.pool(&kColumnsTag, []() -> std::unique_ptr<BatchBody> { return std::make_unique<Columns>(); });
}

Columns& columnsOf(Batch& batch) {
  FLOTT_CHECK(batch && batch->tag() == &kColumnsTag, "not a batch of columns");
  return static_cast<Columns&>(*batch);
}

BatchPool& Columns::poolIn(BatchPools& pools) const { return columnsPool(pools); }

void Columns::setPiece(Piece piece) {
  pieces_.clear();
  size_ = static_cast<uint32_t>(piece.size());
  pieces_.push_back(std::move(piece));
  description_.reset();
}

void Columns::assign(RecordBatchPtr records) {
  clear();
  setPiece({std::move(records), {}});
}

const RecordBatchPtr& Columns::records() const {
  static const RecordBatchPtr kNone;
  merge();
  return pieces_.empty() ? kNone : pieces_.front().records;
}

const std::vector<uint32_t>* Columns::selection() const {
  merge();
  return pieces_.empty() || !pieces_.front().rows ? nullptr : &*pieces_.front().rows;
}

void Columns::select(std::vector<uint32_t> rows) {
  FLOTT_CHECK(!hasTimestamps() && !hasHashes(), "a selection would part the records from their side arrays");
  merge();
  FLOTT_CHECK(!pieces_.empty(), "nothing to select from");
  pieces_.front().rows = std::move(rows);
  size_ = static_cast<uint32_t>(pieces_.front().size());
}

void Columns::compact() {
  merge();
  if (pieces_.empty() || !pieces_.front().rows) return;
  pieces_.front() = {pieces_.front().whole(), {}};
}

void Columns::merge() const {
  if (pieces_.size() < 2) return;
  std::vector<RecordBatchPtr> parts;
  for (const Piece& piece : pieces_) parts.push_back(piece.whole());
  RecordBatchPtr joined = valueOf(arrow::ConcatenateRecordBatches(parts), "joining batches of columns");
  pieces_.clear();
  pieces_.push_back({std::move(joined), {}});
}

void Columns::setTimeColumn(const std::string& name) {
  const arrow::Schema& schema = *records()->schema();
  const arrow::Field& field = *schema.field(columnIndex(schema, name));
  if (field.type()->id() != arrow::Type::TIMESTAMP && field.type()->id() != arrow::Type::INT64) {
    throw Error(ErrorKind::kUser, "column '" + name + "' cannot be the event time, since it is " +
                                      field.type()->ToString() +
                                      ": it must be a timestamp, or int64 milliseconds since 1970");
  }
  timeColumn_ = name;
}

void Columns::setWeightColumn(const std::string& name) {
  const arrow::Schema& schema = *records()->schema();
  const arrow::Field& field = *schema.field(columnIndex(schema, name));
  if (field.type()->id() != arrow::Type::INT64) {
    throw Error(ErrorKind::kUser, "column '" + name + "' cannot be the weight, since it is " +
                                      field.type()->ToString() + ": it must be int64");
  }
  weightColumn_ = name;
}

size_t Columns::bytes() const {
  return std::accumulate(pieces_.begin(), pieces_.end(), size_t{0},
                         [](size_t sum, const Piece& piece) { return sum + piece.bytes(); });
}

void Columns::adopt(const Columns& from) {
  timeColumn_ = from.timeColumn_;
  weightColumn_ = from.weightColumn_;
}

void Columns::addPiece(Piece piece, const Columns& from) {
  if (piece.size() == 0) return;
  if (size_ == 0) {
    adopt(from);
    setPiece(std::move(piece));
    return;
  }
  const arrow::Schema& here = *pieces_.front().records->schema();
  const arrow::Schema& there = *piece.records->schema();
  if (!here.Equals(there, false)) {
    throw Error(ErrorKind::kUser,
                "batches of one stream have different columns, " + describeSchema(here).toString() + " and " +
                    describeSchema(there).toString() + ": bring the streams to the same columns first");
  }
  size_ += static_cast<uint32_t>(piece.size());
  pieces_.push_back(std::move(piece));
}

Batch Columns::splitOff(size_t at, BatchPools& pools) {
  Batch tail = columnsPool(pools).acquire();
  Columns& rest = columnsOf(tail);
  if (at >= size_) return tail;
  merge();
  moveSides(at, rest);
  Piece& piece = pieces_.front();
  if (piece.rows) {
    const auto cut = piece.rows->begin() + static_cast<std::ptrdiff_t>(at);
    rest.addPiece({piece.records, std::vector<uint32_t>(cut, piece.rows->end())}, *this);
    piece.rows->erase(cut, piece.rows->end());
  } else {
    const auto cut = static_cast<int64_t>(at);
    rest.addPiece({piece.records->Slice(cut), {}}, *this);
    piece.records = piece.records->Slice(0, cut);
  }
  size_ = static_cast<uint32_t>(at);
  return tail;
}

void Columns::scatter(const uint32_t* targets, size_t count, Batch* out, OutputPools pools) {
  if (size_ == 0) return;
  merge();
  std::vector<std::vector<uint32_t>> rows(count);
  for (uint32_t i = 0; i < size_; ++i) rows[targets[i]].push_back(i);
  for (size_t target = 0; target < count; ++target) {
    if (rows[target].empty()) continue;
    if (!out[target]) out[target] = columnsPool(pools[target]).acquire();
    columnsOf(out[target]).takeRows(*this, std::move(rows[target]));
  }
  clear();
}

// Records of a batch of one piece, given by their indices.
void Columns::takeRows(const Columns& from, std::vector<uint32_t> rows) {
  const size_t old = size_;
  room_ = static_cast<uint32_t>(std::max<size_t>(room_, old + rows.size()));
  growSides(room_);
  openSides(from.hasTimestamps(), from.hasHashes());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (hasTimestamps()) timestamps()[old + i] = from.timestamps()[rows[i]];
    if (hasHashes()) hashes()[old + i] = from.hashes()[rows[i]];
  }
  const Piece& piece = from.pieces_.front();
  for (uint32_t& row : rows) row = piece.rowAt(row);
  addPiece({piece.records, std::move(rows)}, from);
}

void Columns::append(Batch other) {
  Columns& from = columnsOf(other);
  from.moveSides(0, *this);
  for (Piece& piece : from.pieces_) addPiece(std::move(piece), from);
  from.clear();
}

Batch Columns::clone(BatchPools& pools) const {
  Batch copy = columnsPool(pools).acquire();
  Columns& to = columnsOf(copy);
  const_cast<Columns*>(this)->moveSides(0, to);  // copies: the sides are plain numbers
  for (const Piece& piece : pieces_) to.addPiece(piece, *this);
  return copy;
}

void Columns::clear() {
  clearSides();
  pieces_.clear();
  timeColumn_.clear();
  weightColumn_.clear();
  description_.reset();
}

// Layout: number of records, sides, names of the special columns, then an Arrow IPC stream of one batch;
// nothing behind the names when there are no records.
void Columns::encode(ByteWriter& out) const {
  out.varint(size_);
  encodeSides(out);
  out.string(timeColumn_);
  out.string(weightColumn_);
  if (size_ == 0) return;
  merge();
  const RecordBatchPtr whole = pieces_.front().whole();
  constexpr const char* kWhat = "encoding columns";
  const auto sink = valueOf(arrow::io::BufferOutputStream::Create(), kWhat);
  const auto writer = valueOf(arrow::ipc::MakeStreamWriter(sink, whole->schema()), kWhat);
  check(writer->WriteRecordBatch(*whole), kWhat);
  check(writer->Close(), kWhat);
  out.string(std::string_view(*valueOf(sink->Finish(), kWhat)));
}

void Columns::decode(ByteReader& in) {
  FLOTT_CHECK(size_ == 0, "decode into a batch with records");
  const uint64_t count = in.varint();
  if (count > std::numeric_limits<uint32_t>::max()) in.fail("holds an impossible number of records");
  size_ = static_cast<uint32_t>(count);
  decodeSides(in, 0);
  size_ = 0;
  const std::string time(in.string());
  const std::string weight(in.string());
  if (count == 0) return;
  const auto buffer = arrow::Buffer::FromString(std::string(in.string()));
  const auto decoded = [&]() -> arrow::Result<RecordBatchPtr> {
    arrow::io::BufferReader stream(buffer);
    ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchStreamReader::Open(&stream));
    RecordBatchPtr records;
    ARROW_RETURN_NOT_OK(reader->ReadNext(&records));
    if (records != nullptr) ARROW_RETURN_NOT_OK(records->ValidateFull());
    return records;
  }();
  if (!decoded.ok()) in.fail(("holds broken columns: " + decoded.status().message()).c_str());
  const RecordBatchPtr& records = *decoded;
  if (records == nullptr || static_cast<uint64_t>(records->num_rows()) != count)
    in.fail("holds columns of another length than it says");
  setPiece({records, {}});
  if (!time.empty()) setTimeColumn(time);
  if (!weight.empty()) setWeightColumn(weight);
}

std::string Columns::print(size_t i) const {
  merge();
  const Piece& piece = pieces_.front();
  const auto row = static_cast<int64_t>(piece.rowAt(i));
  std::string out = "{";
  for (int column = 0; column < piece.records->num_columns(); ++column) {
    if (column > 0) out += ", ";
    (out += piece.records->column_name(column)) += ": ";
    const auto value = valueOf(piece.records->column(column)->GetScalar(row), "printing a record");
    if (value->is_valid && isText(*value->type)) {
      appendQuoted(value->ToString(), out);
    } else {
      out += value->ToString();
    }
  }
  return out += '}';
}

const TypeDescription& Columns::description() const {
  if (description_ == nullptr) {
    TypeDescription type;
    type.kind = TypeKind::kStruct;
    if (!pieces_.empty()) type = describeSchema(*pieces_.front().records->schema());
    description_ = std::make_unique<TypeDescription>(std::move(type));
  }
  return *description_;
}

}  // namespace flott

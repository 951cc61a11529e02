// Encoded values as Arrow columns, without their C++ type: Codec<T>'s bytes and the description of T are
// enough.
//
// Tools that show stored state and sinks that write columnar files use it. Bounded only by what the caller
// appends before it takes the columns. One thread at a time.
//
//   ByteReader in(bytes);
//   appendColumn(describe<WordCount>(), in, *builder);    // of arrowType(describe<WordCount>())
#pragma once

#include <arrow/type_fwd.h>

#include "flott/base/bytes.h"
#include "flott/data/type_description.h"

namespace arrow {
class RecordBatchBuilder;
}

namespace flott {

/// Appends the encoded value that `in` is at to a builder of arrowType(type). `type` is not a part of another
/// one. Throws Error(kCorruption) where the bytes cannot be of the type.
void appendColumn(const TypeDescription& type, ByteReader& in, arrow::ArrayBuilder& to);

/// Appends the parts of an encoded struct or tuple to the columns of a batch, one each.
void appendColumns(const TypeDescription& type, ByteReader& in, arrow::RecordBatchBuilder& to);

}  // namespace flott

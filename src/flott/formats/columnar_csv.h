// CSV as columns: Arrow's reader over whole records of a block.
//
// For columnar jobs: the values go into columns without becoming records first. The columns are given and
// never guessed from the data. Lines that do not fit are found by halving the block, so that they are
// rejected one by one as in csv.h.
//
//   auto format = columnarCsvFormat(schemaOf(describe<Order>()), {.header = true});
#pragma once

#include <arrow/type_fwd.h>

#include <memory>

#include "flott/formats/block_format.h"
#include "flott/formats/csv_options.h"

namespace flott {

/// Makes batches of Columns with the columns of `schema`; with CsvOptions::header a file may have others.
/// Comments and trimming cannot be had here: Error(kUser).
std::shared_ptr<const BlockFormat> columnarCsvFormat(std::shared_ptr<arrow::Schema> schema,
                                                     CsvOptions options);

}  // namespace flott

// Files of a block format: lines or CSV, as a file source reads them.
#pragma once

#include <memory>

#include "flott/connectors/files/split_reading.h"
#include "flott/formats/block_format.h"
#include "flott/operators/side_output.h"

namespace flott {

/// The side output of bad records, where CsvOptions::badRecords says so.
OutputTag<BadRecord> badRecords();

/// May be read in parts when the format can be and the file is not compressed.
std::shared_ptr<const FileFormat> blockFiles(std::shared_ptr<const BlockFormat> format);

}  // namespace flott

// Lines of text: each a record, without its line feed or CR LF.
//
// The last line of a file needs no line feed; a file that ends with one has no empty line behind it. Bytes
// are not looked at otherwise: text in any encoding that keeps ASCII passes through.
#pragma once

#include <memory>

#include "flott/formats/block_format.h"

namespace flott {

/// Makes batches of Rows<std::string>.
std::shared_ptr<const BlockFormat> lineFormat();

}  // namespace flott

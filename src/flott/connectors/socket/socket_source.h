// Lines of text from a TCP server: socketTextStream().
//
// One reader. Text is cut at the delimiter, which is not part of the records; before "\n" a carriage return
// is dropped too. When the server ends the connection, what came after the last delimiter is the last record,
// and the source ends, or connects again while it has retries left. A connection that breaks (reset,
// time-out) or cannot be made fails the job once there are no retries left. Nothing can be read twice:
// records that were under way in a job that failed are lost.
#pragma once

#include <cstddef>
#include <string>

#include "flott/connectors/socket/reconnecting_socket.h"
#include "flott/operators/typed_source.h"

namespace flott {

struct SocketTextOptions {
  SocketAddress address;
  std::string delimiter = "\n";
  /// A longer record fails the job: it is probably none, but a wrong delimiter.
  size_t maxRecordBytes = size_t{16} << 20;
};

/// Throws Error(kUser) for an empty delimiter.
SourceOf<std::string> socketTextSource(SocketTextOptions options);

}  // namespace flott

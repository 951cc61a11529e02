// Starts to bring what was written to the disk, for files that are to be synced at their end: there is then
// less to wait for.
//
// Some FileWriters can, and are this as well. As for a FileWriter, one thread at a time; blocks at most while
// the disk has a full queue.
//
//   if (auto* behind = dynamic_cast<WritesBehind*>(writer.get())) behind->startSync();
#pragma once

namespace flott {

class WritesBehind {
 public:
  /// Of what was written since the last call, as far as it has left the writer's buffer. Errors come with
  /// sync().
  virtual void startSync() = 0;

 protected:
  ~WritesBehind() = default;
};

}  // namespace flott

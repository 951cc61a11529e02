// What a checkpoint says about a store on disk beside its files: which states and entries are in it.
//
// Made by a backend at a cut and stored with the checkpoint; read by whoever restores it, to find the states
// in the store that is opened on the files. A plain value, with a format version.
//
//   std::string bytes = image.encode();
//   ColdImage again = ColdImage::decode(bytes);
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "flott/state/cold/cold_store.h"
#include "flott/state/keyed_snapshot.h"

namespace flott {

struct ColdImage {
  /// A state and its number in the keys of the store (ColdKey).
  struct State {
    KeyedStateSchema schema;
    uint16_t number = 0;
    std::map<int64_t, uint64_t> entries;  // how many, by namespace
  };

  std::vector<State> states;
  std::string manifestName;  // ColdFiles
  std::string manifest;

  std::string encode() const;
  /// Throws Error(kCorruption) unless the bytes are what encode() gave; a format of a later version is
  /// Error(kUser).
  static ColdImage decode(std::string_view bytes);
};

/// A store at a cut.
struct ColdCopy {
  ColdImage image;
  std::unique_ptr<ColdFiles> files;
};

}  // namespace flott

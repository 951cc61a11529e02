// The versions of what is stored: what a program says to bytes that a later one has written.
//
// Called by the decoders of metadata and of state, on any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace flott {

/// Throws Error(kUser): `what` ("metadata of a checkpoint") is of a version beyond those that are known.
[[noreturn]] void failNewerFormat(std::string_view what, uint64_t version, uint64_t known);

}  // namespace flott

// Small files that are read and replaced as a whole.
//
// Blocks; any thread. Throws Error as Files does.
//
//   replaceFile(env.files, path, text);
//   EXPECT_EQ(readFile(env.files, path), text);
#pragma once

#include <string>
#include <string_view>

#include "flott/env/files.h"

namespace flott {

std::string readFile(Files& files, const std::string& path);
/// Others see what was there before, or all of `text`, which is on the disk then.
void replaceFile(Files& files, const std::string& path, std::string_view text);

}  // namespace flott

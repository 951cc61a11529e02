#include "flott/master/job_options.h"

#include <gtest/gtest.h>

#include "flott/base/config.h"
#include "flott/base/tests/error_text.h"

namespace flott::job_options_test {
namespace {

std::string folderFor(const std::string& dirs) {
  Configuration configuration;
  configuration.set("execution.checkpointing.dir", "/checkpoints");
  configuration.set("execution.state-recovery.from-local", "true");
  configuration.set("execution.checkpointing.local-backup.dirs", dirs);
  return localCopiesOptions(configuration, "7", "/own")->folder;
}

TEST(JobOptions, LocalCopiesLieInOneFolderOfTheDisk) {
  EXPECT_EQ(folderFor("/var/flott"), "/var/flott/7");
  EXPECT_EQ(folderFor("file:///var/flott/"), "/var/flott/7");
  for (const std::string wrong : {"s3://bucket/x", "/a,/b", "here", ""}) {
    Configuration configuration;
    configuration.set("execution.checkpointing.local-backup.dirs", wrong);
    const std::string text = "execution.checkpointing.local-backup.dirs = " + wrong +
                             ": give one folder of the local disk by its whole path, as /var/flott";
    EXPECT_EQ(errorText([&] { checkJobOptions(configuration, JobGraph()); }), text);
    EXPECT_EQ(errorText([&] { folderFor(wrong); }), text);
  }
}

}  // namespace
}  // namespace flott::job_options_test

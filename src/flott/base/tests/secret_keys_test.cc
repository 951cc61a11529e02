#include "flott/base/secret_keys.h"

#include <gtest/gtest.h>

namespace flott {
namespace {

TEST(SecretKeys, AreToldFromTheirWords) {
  EXPECT_TRUE(isSecretKey("s3.secret-key"));
  EXPECT_TRUE(isSecretKey("Database.PassWord"));
  EXPECT_TRUE(isSecretKey("metrics.reporter.x.api-key"));
  EXPECT_FALSE(isSecretKey("s3.endpoint"));
  EXPECT_FALSE(isSecretKey("execution.checkpointing.dir"));
}

}  // namespace
}  // namespace flott

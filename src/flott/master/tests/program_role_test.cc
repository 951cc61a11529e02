#include "flott/master/program_role.h"

#include <gtest/gtest.h>

#include "flott/base/tests/error_text.h"

namespace flott {
namespace {

TEST(ProgramRole, RolesAndPlansAreReadBack) {
  const ProgramRole role{.kind = ProgramRole::Kind::kWorker,
                         .options = {{"parallelism.default", "4"}, {"a", ""}},
                         .worker = "w1",
                         .slots = 3,
                         .port = 40'000};
  const ProgramRole given = ProgramRole::decode(role.encode());
  EXPECT_EQ(given.kind, role.kind);
  EXPECT_EQ(given.options, role.options);
  EXPECT_EQ(given.worker, role.worker);
  EXPECT_EQ(given.slots, role.slots);
  EXPECT_EQ(given.port, role.port);
  const ProgramPlan plan{
      .jobName = "count", .tree = "a\n", .json = "{}", .rest = "[]", .digest = {{"job 'count'", "x"}}};
  const ProgramPlan again = ProgramPlan::decode(plan.encode());
  EXPECT_EQ(again.jobName, plan.jobName);
  EXPECT_EQ(again.tree, plan.tree);
  EXPECT_EQ(again.json, plan.json);
  EXPECT_EQ(again.rest, plan.rest);
  EXPECT_EQ(again.digest, plan.digest);
}

TEST(ProgramRole, OthersAreRefused) {
  const auto refusal = [](const std::string& bytes, ErrorKind kind) {
    return errorText([&] { (void)ProgramRole::decode(bytes); }, kind);
  };
  const std::string bytes = ProgramRole{.options = {{"a", "b"}}}.encode();
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_NE(refusal(bytes.substr(0, length), ErrorKind::kCorruption), "nothing was thrown") << length;
  EXPECT_NE(refusal(bytes + "x", ErrorKind::kCorruption).find("left over"), std::string::npos);
  EXPECT_NE(refusal("plan", ErrorKind::kCorruption).find("is nothing that Flott"), std::string::npos);
  std::string newer = bytes;
  newer[4] = 4;
  EXPECT_EQ(
      refusal(newer, ErrorKind::kUser),
      "the other side is of version 4 of what Flott and its programs say to each other, this one of version "
      "3: build the program with the Flott that is to run it");
}

TEST(ProgramRole, GivesEachPartALogFile) {
  EXPECT_EQ(logFileOf("/logs/orders.log", "w1"), "/logs/orders-w1.log");
  EXPECT_EQ(logFileOf("orders", "master"), "orders-master");
  EXPECT_EQ(logFileOf("/logs.d/orders", "w1"), "/logs.d/orders-w1");
  EXPECT_EQ(logFileOf(".orders", "w1"), ".orders-w1");
  EXPECT_EQ(logFileOf("", "w1"), "");
}

}  // namespace
}  // namespace flott

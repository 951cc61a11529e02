#include <gtest/gtest.h>

#include "flott/connectors/postgres/postgres_sink.h"

namespace flott {
namespace {

struct Pod {
  int64_t id = 0;
  std::string name;
};

TEST(PostgresNames, X) {
  auto sink = PostgresSink<Pod>::insert("", "t");
  auto w = sink.createWriter();
  auto f = committingSinkOperator<Pod>(sink);
  EXPECT_NE(f->create(), nullptr);
}

}  // namespace
}  // namespace flott

#include "flott/operators/columnar/columnar.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "flott/data/arrow_status.h"
#include "flott/data/columns.h"
#include "flott/operators/tests/test_task.h"

namespace flott {
namespace {

class ColumnarTest : public testing::Test {
 protected:
  // price: 0 … count - 1, but null where divisible by 7; city: "c<price % 3>"; at: price.
  Batch trips(int count) {
    arrow::Int32Builder price;
    arrow::StringBuilder city;
    arrow::Int64Builder at;
    for (int i = 0; i < count; ++i) {
      check(i % 7 == 0 ? price.AppendNull() : price.Append(i), "test");
      check(city.Append("c" + std::to_string(i % 3)), "test");
      check(at.Append(i), "test");
    }
    const auto schema =
        arrow::schema({arrow::field("price", arrow::int32()), arrow::field("city", arrow::utf8()),
                       arrow::field("at", arrow::int64(), false)});
    Batch batch = columnsPool(task_.pools()).acquire();
    columnsOf(batch).assign(arrow::RecordBatch::Make(
        schema, count,
        {valueOf(price.Finish(), "test"), valueOf(city.Finish(), "test"), valueOf(at.Finish(), "test")}));
    return batch;
  }

  std::unique_ptr<Operator> opened(const std::shared_ptr<const OperatorFactory>& factory) {
    auto op = factory->create();
    op->open(task_);
    return op;
  }
  // Through all the operators.
  std::vector<std::string> run(Batch batch,
                               const std::vector<std::shared_ptr<const OperatorFactory>>& factories) {
    last_ = std::move(batch);
    for (const auto& factory : factories) {
      if (!last_) break;
      EXPECT_EQ(opened(factory)->onBatch(0, std::move(last_), task_), Step::kDone);
      last_ = std::move(std::get<Batch>(task_.emitted.back()));
      task_.emitted.clear();
    }
    std::vector<std::string> rows;
    for (size_t i = 0; i < last_.size(); ++i) rows.push_back(last_->print(i));
    return rows;
  }
  std::string errorOf(const std::shared_ptr<const OperatorFactory>& factory) {
    try {
      run(trips(10), {factory});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUser);
      return error.what();
    }
    return "no error";
  }
  using Rows = std::vector<std::string>;

  TestTask task_;
  Batch last_;
};

TEST_F(ColumnarTest, FilterSelectsWithoutCopying) {
  Batch batch = trips(10);
  const arrow::RecordBatch* before = columnsOf(batch).records().get();
  EXPECT_EQ(run(std::move(batch), {columnarFilter(col("price") > lit(6) && col("city") == lit("c2"))}),
            (Rows{R"({price: 8, city: "c2", at: 8})"}));
  EXPECT_EQ(columnsOf(last_).records().get(), before);
  EXPECT_EQ(*columnsOf(last_).selection(), (std::vector<uint32_t>{8}));
}

TEST_F(ColumnarTest, FilterThatKeepsAllMakesNoSelection) {
  run(trips(10), {columnarFilter(col("at") >= lit(0))});
  EXPECT_EQ(last_.size(), 10u);
  EXPECT_EQ(columnsOf(last_).selection(), nullptr);
}

TEST_F(ColumnarTest, FiltersRefineEachOther) {
  EXPECT_EQ(run(trips(100), {columnarFilter(col("city") == lit("c1")), columnarFilter(col("at") > lit(50)),
                             columnarFilter(!(col("at") > lit(60)) || isNull(col("price")))}),
            (Rows{R"({price: 52, city: "c1", at: 52})", R"({price: 55, city: "c1", at: 55})",
                  R"({price: 58, city: "c1", at: 58})", R"({price: null, city: "c1", at: 70})",
                  R"({price: null, city: "c1", at: 91})"}));
}

TEST_F(ColumnarTest, NullIsNotTrue) {
  run(trips(14), {columnarFilter(col("price") < lit(1000))});
  EXPECT_EQ(last_.size(), 12u);
}

TEST_F(ColumnarTest, RowsLeftOutAreNotComputedOn) {
  const auto keep = columnarFilter(col("at") != lit(0));
  EXPECT_EQ(run(trips(4), {keep, columnarProject({{"q", lit(6) / col("at")}})}),
            (Rows{"{q: 6}", "{q: 3}", "{q: 2}"}));
  EXPECT_EQ(run(trips(4), {keep, columnarFilter(lit(6) / col("at") == lit(3))}),
            (Rows{R"({price: 2, city: "c2", at: 2})"}));
  EXPECT_EQ(errorOf(columnarProject({{"q", lit(6) / col("at")}})),
            "expression divide_checked(6, at): divide by zero");
}

TEST_F(ColumnarTest, ProjectionSelectsRenamesAndComputes) {
  EXPECT_EQ(
      run(trips(3), {columnarProject({{"town", columnFunction("utf8_upper", {col("city")})},
                                      {"price", col("price")},
                                      {"double", col("at") + col("at")},
                                      {"one", lit(1)}})}),
      (Rows{R"({town: "C0", price: null, double: 0, one: 1})", R"({town: "C1", price: 1, double: 2, one: 1})",
            R"({town: "C2", price: 2, double: 4, one: 1})"}));
  EXPECT_EQ(last_->description().toString(),
            "struct{town: optional<string>, price: optional<int32>, double: optional<int64>, one: "
            "optional<int64>}");
}

TEST_F(ColumnarTest, PlainProjectionKeepsTheSelection) {
  EXPECT_EQ(run(trips(6), {columnarFilter(col("at") > lit(3)), columnarProject({{"t", col("at")}})}),
            (Rows{"{t: 4}", "{t: 5}"}));
  EXPECT_EQ(columnsOf(last_).records()->num_rows(), 6);
}

TEST_F(ColumnarTest, TimeAndWeightKeepTheirMeaningUnderNewNames) {
  Batch batch = trips(3);
  columnsOf(batch).setTimeColumn("at");
  columnsOf(batch).setWeightColumn("at");
  run(std::move(batch), {columnarProject({{"city", col("city")}, {"t", col("at")}})});
  EXPECT_EQ(columnsOf(last_).timeColumn(), "t");
  EXPECT_EQ(columnsOf(last_).weightColumn(), "t");

  Batch changelog = trips(3);
  columnsOf(changelog).setWeightColumn("at");
  try {
    run(std::move(changelog), {columnarProject({{"city", col("city")}})});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "a projection of a changelog must keep its weight column 'at': add it to the columns");
  }
}

TEST_F(ColumnarTest, ErrorsNameTheExpression) {
  EXPECT_EQ(errorOf(columnarFilter(col("prise") > lit(1))),
            "there is no column 'prise'; did you mean 'price'? The columns are: price, city, at");
  EXPECT_EQ(errorOf(columnarFilter(col("price") + col("price"))),
            "a filter needs a condition, but its expression is int32: compare it with something, as in "
            "col(\"price\") > lit(10)");
  EXPECT_EQ(
      errorOf(columnarFilter(col("price") > col("city"))),
      "expression (price > city): Function 'greater' has no kernel matching input types (int32, string)");
  EXPECT_EQ(errorOf(columnarProject({{"x", columnFunction("no_such", {col("at")})}})),
            "expression no_such(at): No function registered with name: no_such");
  EXPECT_EQ(errorOf(columnarProject({{"x", col("at") * lit(INT64_MAX)}})),
            "expression multiply_checked(at, 9223372036854775807): overflow");
  EXPECT_THROW(columnarProject({{"x", col("at")}, {"x", col("city")}}), Error);
}

}  // namespace
}  // namespace flott

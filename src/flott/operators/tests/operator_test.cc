// What every operator inherits: event time and idleness over several inputs.
#include "flott/operators/operator.h"

#include <gtest/gtest.h>

#include "flott/operators/tests/operator_driver.h"

namespace flott {
namespace {

using Texts = std::vector<std::string>;

// Fires three results on each watermark, one a call.
class Firing final : public Operator {
 public:
  Firing() { setInputs(2); }
  void open(OperatorContext& context) override { pool_ = &rowsPool<int64_t>(context.pools()); }
  Step onBatch(int, Batch, Output&) override { return Step::kDone; }
  Step onEventTime(Watermark, Output& output) override {
    left_ = 3;
    return resume(output);
  }
  Step resume(Output& output) override {
    Batch batch = pool_->acquire();
    batch.rows<int64_t>().emplace(left_);
    output.emit(std::move(batch));
    if (--left_ > 0) return Step::kMore;
    output.emitWatermark(eventTime());
    return Step::kDone;
  }

 private:
  int64_t left_ = 0;
  BatchPool* pool_ = nullptr;
};

TEST(Operator, AnIdleStatusDoesNotOvertakeTheResultsOfTheWatermarkBeforeIt) {
  OperatorDriver<Firing> driver({});
  driver.open();
  driver.watermark(0, 200);
  driver.status(0, false);
  driver.watermark(1, 100);
  EXPECT_EQ(driver.takeRecords(), (Texts{"3", "2", "1", "W 100"}));
  driver.status(1, false);  // all are idle: the furthest decides, and 200 fires
  EXPECT_EQ(driver.takeRecords(), (Texts{"3", "2", "1", "W 200", "idle"}));
  driver.status(1, true);
  EXPECT_EQ(driver.takeRecords(), Texts{"active"});
  driver.watermark(1, 300);
  EXPECT_EQ(driver.takeRecords(), (Texts{"3", "2", "1", "W 300"}));
}

}  // namespace
}  // namespace flott

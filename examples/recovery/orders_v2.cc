// orders_v1.cc, upgraded: it also keeps the largest order of each customer. State that version 1 has written
// gets the new field with its default.
#include <algorithm>

#include "orders.h"

using namespace flott;

struct Totals {
  int64_t orders = 0;
  int64_t cents = 0;
  int64_t largest = 0;
};

class CountOrders : public KeyedProcessFunction<int64_t, Order, std::string> {
 public:
  void open(RuntimeContext& ctx) override { totals_ = ctx.state(ValueStateDescriptor<Totals>("totals")); }
  void processElement(const Order& order, Context&, Collector<std::string>& out) override {
    Totals totals = totals_.get();
    ++totals.orders;
    totals.cents += order.cents;
    totals.largest = std::max(totals.largest, order.cents);
    totals_.set(totals);
    out.collect(std::to_string(order.customer) + "," + std::to_string(totals.orders) + "," +
                std::to_string(totals.cents) + "," + std::to_string(totals.largest));
  }

 private:
  ValueState<Totals> totals_;
};

int main(int argc, char** argv) { runOrders(argc, argv, "version 2", CountOrders()); }

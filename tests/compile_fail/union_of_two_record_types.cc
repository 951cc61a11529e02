// expect: unionWith: the streams have records of different types
#include "flott/api/data_stream.h"

struct Order {
  int64_t id = 0;
};

void build(const flott::DataStream<Order>& orders, const flott::DataStream<int64_t>& numbers) {
  orders.unionWith(orders, numbers);
}

// expect: connect: the two streams have keys of different types
#include "flott/api/connected_streams.h"

struct Order {
  int64_t id = 0;
  std::string user;
};

void build(const flott::DataStream<Order>& orders) { orders.connect(orders).keyBy(&Order::id, &Order::user); }

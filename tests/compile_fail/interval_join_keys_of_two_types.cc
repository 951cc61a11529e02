// expect: intervalJoin: the other stream needs keys of the same type
#include "flott/api/interval_join.h"

struct Order {
  int64_t id = 0;
  std::string user;
};

void build(const flott::DataStream<Order>& orders) {
  orders.keyBy(&Order::id).intervalJoin(orders.keyBy(&Order::user));
}

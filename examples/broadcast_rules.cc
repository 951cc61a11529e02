// Rules that reach every subtask, beside payments of which each subtask sees its share: a payment above the
// limit of its currency is an alert. Payments that come before the rule of their currency wait for it.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "flott/flott.h"

using namespace flott;

struct Payment {
  std::string account;
  std::string currency;
  int64_t amount;
};
struct Limit {
  std::string currency;
  int64_t amount;
};
struct Alert {
  std::string account;
  int64_t amount;
  int64_t limit;
};

const MapStateDescriptor<std::string, int64_t> kLimits("limits");
const ListStateDescriptor<Payment> kWaiting("waiting");

class CheckLimits : public KeyedBroadcastProcessFunction<std::string, Payment, Limit, Alert> {
 public:
  void open(RuntimeContext& ctx) override { waiting_ = ctx.state(kWaiting); }

  // Broadcast state can only be read here: it has to stay equal in all subtasks.
  void processElement(const Payment& payment, ReadOnlyContext& ctx, Collector<Alert>& out) override {
    if (const int64_t* limit = ctx.getBroadcastState(kLimits).get(payment.currency)) {
      check(payment, *limit, out);
    } else {
      waiting_.add(payment);
    }
  }

  // A limit has no key of its own: applyToKeyedState() visits all accounts with waiting payments.
  void processBroadcastElement(const Limit& limit, Context& ctx, Collector<Alert>& out) override {
    ctx.getBroadcastState(kLimits).put(limit.currency, limit.amount);
    ctx.applyToKeyedState(kWaiting, [&](const std::string&, ListState<Payment>& waiting) {
      std::vector<Payment> stillWaiting;
      for (const Payment& payment : waiting.get()) {
        if (payment.currency == limit.currency) {
          check(payment, limit.amount, out);
        } else {
          stillWaiting.push_back(payment);
        }
      }
      waiting.set(std::move(stillWaiting));
    });
  }

 private:
  static void check(const Payment& payment, int64_t limit, Collector<Alert>& out) {
    if (payment.amount > limit) out.collect({payment.account, payment.amount, limit});
  }

  ListState<Payment> waiting_;
};

int main(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::fromArgs(argc, argv);

  auto payments = env.fromElements<Payment>(
      {{"anna", "EUR", 500}, {"ben", "EUR", 20'000}, {"anna", "JPY", 900'000}, {"ben", "JPY", 5'000'000}});
  auto limits = env.fromElements<Limit>({{"EUR", 10'000}, {"JPY", 1'000'000}});

  payments.keyBy(&Payment::account).connect(limits.broadcast(kLimits)).process(CheckLimits()).print();

  env.execute("Payments above the limit");
}

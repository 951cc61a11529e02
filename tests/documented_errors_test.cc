// The table of errors in docs/api.md has them word for word. Runs in the root folder of the project.
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "flott/api/test_world.h"
#include "flott/flott.h"

namespace flott {
namespace {

struct Point {
  int64_t k = 0;
  int64_t v = 0;
};
struct Score {
  int64_t player = 0;
  int64_t points = 0;
};

class DocumentedErrors : public testing::Test {
 protected:
  static std::string page() {
    std::ifstream file("docs/api.md");
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  // What the deed throws is in the table: as a whole, or after "… ", which stands for its first places.
  template <typename F>
  static void expectDocumented(F&& deed) {
    static const std::string kPage = page();
    ASSERT_FALSE(kPage.empty()) << "run this in the root folder of the project";
    try {
      deed();
      FAIL() << "nothing was thrown";
    } catch (const Error& error) {
      const std::string text = error.what();
      bool found = kPage.find("`" + text + "`") != std::string::npos;
      for (size_t at = 0; !found && (at = text.find(": ", at)) != std::string::npos; at += 2)
        found = kPage.find("`… " + text.substr(at + 2) + "`") != std::string::npos;
      EXPECT_TRUE(found) << "not in docs/api.md: " << text;
    }
  }
  StreamExecutionEnvironment environment() { return world_.environment(); }
  DataStream<Point> points(StreamExecutionEnvironment& env) {
    return env.fromElements<Point>({{1, 2}, {1, 3}});
  }

  TestWorld world_;
};

TEST_F(DocumentedErrors, OptionsAndArguments) {
  Configuration slip;
  slip.set("paralelism.default", "2", "-D");
  expectDocumented([&] { world_.environment(slip); });
  Configuration zero;
  zero.set("parallelism.default", "0", "-D");
  expectDocumented([&] { world_.environment(zero); });
  expectDocumented([&] { environment().setParallelism(0); });
  expectDocumented([] { Parameters::fromArgs(std::vector<std::string>{"README.md"}); });
}

TEST_F(DocumentedErrors, Graphs) {
  auto env = environment();
  points(env).map([](const Point& p) { return p.v; });
  expectDocumented([&] { env.execute("Demo"); });

  auto twice = environment();
  points(twice)
      .map([](const Point& p) { return p.v; })
      .name("first")
      .uid("same")
      .map([](int64_t v) { return v; })
      .name("second")
      .uid("same")
      .print();
  expectDocumented([&] { twice.execute("Demo"); });

  auto forward = environment();
  auto numbers = forward.fromSequence(1, 2).map([](int64_t v) { return v; });
  numbers.setParallelism(2)
      .forward()
      .map([](int64_t v) { return v; })
      .name("three")
      .setParallelism(3)
      .print();
  expectDocumented([&] { forward.execute("Demo"); });

  auto again = environment();
  auto stream = again.fromSequence(1, 2);
  stream.print();
  again.execute("Demo");
  expectDocumented([&] { stream.print(); });
}

struct CountsWithoutKeys {
  ValueState<int64_t> n;
  void open(RuntimeContext& ctx) { n = ctx.state(ValueStateDescriptor<int64_t>("n")); }
  int64_t operator()(const Point& p) const { return p.v; }
};

TEST_F(DocumentedErrors, Functions) {
  auto throws = environment();
  auto checked = points(throws).map([](const Point& p) {
    if (p.v == 3) throw std::runtime_error("three");
    return p.v;
  });
  checked.name("check").print();
  expectDocumented([&] { throws.execute("Demo"); });

  auto unkeyed = environment();
  points(unkeyed).map(CountsWithoutKeys()).print();
  expectDocumented([&] { unkeyed.execute("Demo"); });

  auto timer = environment();
  points(timer)
      .keyBy(&Point::k)
      .process([](const Point&, KeyedProcessContext<int64_t>& ctx, Collector<Point>&) {
        ctx.timerService().registerEventTimeTimer(Timestamp(5));
      })
      .print();
  expectDocumented([&] { timer.execute("Demo"); });

  auto overflow = environment();
  overflow.fromElements<Score>({{1, std::numeric_limits<int64_t>::max()}, {1, 1}})
      .keyBy(&Score::player)
      .sum(&Score::points)
      .print();
  expectDocumented([&] { overflow.execute("Demo"); });
}

TEST_F(DocumentedErrors, Time) {
  auto without = environment();
  points(without)
      .keyBy(&Point::k)
      .window(TumblingEventTimeWindows::of(Duration::seconds(5)))
      .sum(&Point::v)
      .print();
  expectDocumented([&] { without.execute("Demo"); });

  auto far = environment();
  points(far)
      .assignTimestampsAndWatermarks(
          WatermarkStrategy<Point>::forMonotonousTimestamps().withTimestampAssigner(
              [](const Point&) { return Timestamp::max(); }))
      .print();
  expectDocumented([&] { far.execute("Demo"); });
}

TEST_F(DocumentedErrors, FilesAndSockets) {
  auto missing = environment();
  missing.readTextFile("/nonexistent.txt").print();
  expectDocumented([&] { missing.execute("Word count"); });

  auto writes = environment();
  writes.fromSequence(1, 2).writeAsText("out.txt");
  writes.execute("Demo");
  writes.fromSequence(1, 2).writeAsText("out.txt");
  expectDocumented([&] { writes.execute("Demo"); });

  auto socket = environment();
  socket.socketTextStream("localhost", 9999).print();
  expectDocumented([&] { socket.execute("Demo"); });
}

}  // namespace
}  // namespace flott

// What every environment must do: each test runs in the real and in the simulated one.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "flott/base/tests/error_text.h"
#include "flott/env/posix/real_env.h"
#include "flott/env/simulated.h"

namespace flott {
namespace {

class Conformance : public testing::TestWithParam<bool> {
 protected:
  Conformance() {
    if (GetParam()) {
      folder_ = testing::TempDir() + "flott_env_" + std::to_string(real_->env().random.seed());
      std::filesystem::create_directories(folder_);
    } else {
      simulated_.files().makeFolders(folder_);
    }
  }
  ~Conformance() override {
    if (GetParam()) std::filesystem::remove_all(folder_);
  }

  Env env() { return GetParam() ? real_->env() : simulated_.env(); }
  Files& files() { return env().files; }
  std::string in(const std::string& name) const { return folder_ + "/" + name; }

  void put(const std::string& name, std::string_view content) {
    auto writer = files().create(in(name), WriteMode::kCreate);
    writer->write(content);
    writer->close();
  }
  std::string get(const std::string& name) {
    auto reader = files().open(in(name));
    std::string all;
    char block[7];
    while (const size_t size = reader->read(all.size(), block)) all.append(block, size);
    return all;
  }
  std::vector<std::string> names(const std::vector<FileInfo>& found) const {
    std::vector<std::string> out;
    for (const FileInfo& info : found) out.push_back(info.path.substr(folder_.size() + 1));
    return out;
  }
  std::vector<std::string> glob(const std::string& pattern) { return names(files().glob(in(pattern))); }
  // Reads until `size` bytes have come or the peer has ended.
  static std::string receive(Connection& connection, size_t size) {
    std::string all;
    char block[5];
    while (all.size() < size) {
      EXPECT_TRUE(connection.waitReadable(Duration::seconds(10)));
      const size_t got = connection.read(block);
      if (got == 0) break;
      all.append(block, got);
    }
    return all;
  }

 private:
  std::unique_ptr<RealEnv> real_ = makeRealEnv({.offloadThreads = 1, .offloadQueue = 2});
  SimulatedEnv simulated_{11};
  std::string folder_ = "work";
};

using Names = std::vector<std::string>;

TEST_P(Conformance, ClockGoesOnlyForward) {
  const Env world = env();
  const int64_t before = world.clock.monotonicNanos();
  EXPECT_GE(world.clock.monotonicNanos(), before);
  EXPECT_GT(world.clock.wallTime(), Timestamp(1'700'000'000'000));
  EXPECT_GE(deadlineAfter(world.clock, Duration::seconds(1)), before + 1'000'000'000);
  EXPECT_EQ(deadlineAfter(world.clock, Duration::max()), kNoDeadline);
}

TEST_P(Conformance, FilesAreWrittenAndRead) {
  put("a", "");
  EXPECT_EQ(get("a"), "");
  std::string large;
  for (int i = 0; i < 40'000; ++i) large += std::to_string(i);
  put("a", large);
  EXPECT_EQ(get("a"), large);
  EXPECT_EQ(files().open(in("a"))->size(), large.size());
  char block[10];
  EXPECT_EQ(files().open(in("a"))->read(large.size(), block), 0u);
  EXPECT_EQ(files().stat(in("a"))->size, large.size());
  EXPECT_GT(files().stat(in("a"))->modified, Timestamp(1'700'000'000'000));
}

TEST_P(Conformance, AppendGoesOnAndFlushShowsWhatWasWritten) {
  put("a", "one ");
  auto writer = files().create(in("a"), WriteMode::kAppend);
  writer->write("two");
  EXPECT_EQ(writer->size(), 7u);
  EXPECT_EQ(get("a"), "one ");
  writer->flush();
  EXPECT_EQ(get("a"), "one two");
  writer->write(" three");
  writer->sync();
  EXPECT_EQ(get("a"), "one two three");
  writer->close();
}

TEST_P(Conformance, MissingFilesAreNamed) {
  EXPECT_EQ(files().stat(in("no")), std::nullopt);
  EXPECT_EQ(errorText([&] { files().open(in("no")); }), "file '" + in("no") + "' does not exist");
  EXPECT_EQ(errorText([&] { files().listFiles(in("no")); }), "file '" + in("no") + "' does not exist");
  EXPECT_EQ(errorText([&] { files().listFolder(in("no")); }), "folder '" + in("no") + "' does not exist");
  EXPECT_EQ(errorText([&] { files().rename(in("no"), in("b")); }), "file '" + in("no") + "' does not exist");
  EXPECT_EQ(errorText([&] { put("no/a", ""); }),
            "file '" + in("no/a") + "' cannot be written: its folder does not exist; make the folder first");
}

TEST_P(Conformance, FoldersAreNotFiles) {
  files().makeFolders(in("f"));
  put("a", "x");
  EXPECT_EQ(errorText([&] { files().open(in("f")); }), "'" + in("f") + "' is a folder, not a file");
  EXPECT_EQ(errorText([&] { put("f", ""); }), "'" + in("f") + "' is a folder, not a file");
  EXPECT_EQ(errorText([&] { files().listFolder(in("a")); }), "'" + in("a") + "' is a file, not a folder");
  EXPECT_EQ(errorText([&] { files().makeFolders(in("a")); }),
            "folder '" + in("a") + "' cannot be made: file exists; there is a file of this name");
}

TEST_P(Conformance, RenameReplacesAndRemoveForgives) {
  put("a", "new");
  put("b", "old");
  files().rename(in("a"), in("b"));
  EXPECT_EQ(get("b"), "new");
  EXPECT_FALSE(files().stat(in("a")));
  files().remove(in("a"));
  files().remove(in("b"));
  EXPECT_FALSE(files().stat(in("b")));
  files().makeFolders(in("x/y"));
  EXPECT_EQ(errorText([&] { files().remove(in("x")); }),
            "file '" + in("x") + "' cannot be removed: directory not empty");
  files().remove(in("x/y"));
  files().remove(in("x"));
  EXPECT_FALSE(files().stat(in("x")));
}

TEST_P(Conformance, ListsAreSortedAndComplete) {
  files().makeFolders(in("d/e"));
  for (const char* name : {"z", "a", "d/2", "d/10", "d/e/f", ".hidden"}) put(name, "x");
  EXPECT_EQ(names(files().listFiles(in("").substr(0, in("").size() - 1))),
            (Names{".hidden", "a", "d/10", "d/2", "d/e/f", "z"}));
  EXPECT_EQ(names(files().listFiles(in("d/2"))), Names{"d/2"});
  const std::vector<FileInfo> direct = files().listFolder(in("d"));
  EXPECT_EQ(names(direct), (Names{"d/10", "d/2", "d/e"}));
  EXPECT_TRUE(direct[2].isFolder);
  EXPECT_FALSE(direct[0].isFolder);
}

TEST_P(Conformance, GlobMatchesLikeAShell) {
  files().makeFolders(in("d/e"));
  files().makeFolders(in(".h"));
  for (const char* name : {"a.txt", "b.txt", "b.csv", ".c.txt", "d/a.txt", "d/e/a.txt", ".h/a.txt"})
    put(name, "x");
  EXPECT_EQ(glob("*.txt"), (Names{"a.txt", "b.txt"}));
  EXPECT_EQ(glob("?.*"), (Names{"a.txt", "b.csv", "b.txt"}));
  EXPECT_EQ(glob("[b-z].txt"), Names{"b.txt"});
  EXPECT_EQ(glob("[!b].txt"), Names{"a.txt"});
  EXPECT_EQ(glob(".*.txt"), Names{".c.txt"});
  EXPECT_EQ(glob("*/a.txt"), Names{"d/a.txt"});
  EXPECT_EQ(glob("**/a.txt"), (Names{"a.txt", "d/a.txt", "d/e/a.txt"}));
  EXPECT_EQ(glob("**/**/e/*"), Names{"d/e/a.txt"});
  EXPECT_EQ(glob("d/**"), (Names{"d/a.txt", "d/e/a.txt"}));
  EXPECT_EQ(glob("b.csv"), Names{"b.csv"});
  EXPECT_EQ(glob("*a*b*"), Names{});
  EXPECT_EQ(glob("no/*.txt"), Names{});
  EXPECT_EQ(glob("[a"), Names{});
}

TEST_P(Conformance, RefusedConnectionAsksForAServer) {
  auto listener = env().network.listen("127.0.0.1", 0);
  const uint16_t port = listener->port();
  listener->close();
  listener.reset();
  EXPECT_EQ(errorText([&] { env().network.connect("127.0.0.1", port, Duration::seconds(5)); },
                      ErrorKind::kTransient),
            "cannot connect to 127.0.0.1:" + std::to_string(port) +
                ": connection refused: is a server listening there?");
}

TEST_P(Conformance, ConnectionsCarryBytesBothWays) {
  auto listener = env().network.listen("127.0.0.1", 0);
  EXPECT_EQ(listener->accept(Duration()), nullptr);
  auto client = env().network.connect("127.0.0.1", listener->port(), Duration::seconds(5));
  auto server = listener->accept(Duration::seconds(5));
  ASSERT_NE(server, nullptr);
  EXPECT_FALSE(server->waitReadable(Duration()));
  client->write("to be or ");
  client->write("not");
  EXPECT_EQ(receive(*server, 12), "to be or not");
  server->write("that is");
  EXPECT_EQ(receive(*client, 7), "that is");
  server->write("last");
  server->close();
  EXPECT_EQ(receive(*client, 100), "last");
  char block[4];
  EXPECT_EQ(client->read(block), 0u);
}

TEST_P(Conformance, AClosedConnectionReadsItsEndAndRefusesToWrite) {
  auto listener = env().network.listen("127.0.0.1", 0);
  const std::string address = "127.0.0.1:" + std::to_string(listener->port());
  auto client = env().network.connect("127.0.0.1", listener->port(), Duration::seconds(5));
  client->close();
  client->close();
  char block[4];
  EXPECT_TRUE(client->waitReadable(Duration::seconds(5)));
  EXPECT_EQ(client->read(block), 0u);
  EXPECT_EQ(errorText([&] { client->write("x"); }, ErrorKind::kTransient),
            "the connection to " + address + " broke while writing: broken pipe");
}

TEST_P(Conformance, APortIsTakenOnce) {
  auto listener = env().network.listen("127.0.0.1", 0);
  const uint16_t port = listener->port();
  EXPECT_EQ(errorText([&] { env().network.listen("127.0.0.1", port); }, ErrorKind::kTransient),
            "cannot listen on 127.0.0.1:" + std::to_string(port) +
                ": address already in use; another process has the port: give another one");
}

TEST_P(Conformance, ForksDependOnSeedAndNameOnly) {
  const Random& root = env().random;
  Random a = root.fork("a"), again = root.fork("a"), b = root.fork("b");
  const uint64_t first = a.next();
  EXPECT_EQ(first, again.next());
  EXPECT_NE(first, b.next());
  for (int i = 0; i < 1000; ++i) {
    EXPECT_LT(a.below(3), 3u);
    const double u = a.uniform();
    EXPECT_TRUE(u >= 0 && u < 1);
  }
}

// Of the real stores that of local files, which needs no server.
TEST_P(Conformance, ObjectsAreSentInPartsAndCopied) {
  const std::string folder = GetParam() ? "file://" + in("store") : "s3://bucket/store";
  const auto store = env().stores.open(folder, {});
  for (const char* const name : {"/a", "/b"}) {
    const auto writer = store->create(folder + name);
    writer->write("of ");
    writer->write(name);
    writer->close();
  }
  EXPECT_EQ(store->read(folder + "/a", 0, 100), "of /a");
  store->copy(folder + "/a", folder + "/below/c");
  store->copy(folder + "/a", folder + "/b");
  std::vector<std::string> found;
  for (const ObjectInfo& object : store->list(folder))
    found.push_back(object.uri.substr(folder.size()) + " " + std::to_string(object.size));
  EXPECT_EQ(found, (Names{"/a 5", "/b 5", "/below/c 5"}));
  EXPECT_EQ(store->read(folder + "/b", 0, 100), "of /a");
  store->remove(folder + "/a");
  EXPECT_EQ(store->size(folder + "/a"), std::nullopt);
  const std::string error =
      errorText([&] { store->copy(folder + "/a", folder + "/d"); }, ErrorKind::kTransient);
  EXPECT_NE(error.find(folder), std::string::npos) << error;
  EXPECT_EQ(store->size(folder + "/d"), std::nullopt);
}

TEST_P(Conformance, StoppedOffloadTakesNothingAndLeavesTheWorkToTheCaller) {
  EXPECT_EQ(env().offload.stop(Duration::seconds(10)), Names{});
  int ran = 0;
  MoveFunction<void()> work = [&] { ++ran; };
  EXPECT_FALSE(env().offload.submit("late", std::move(work)));
  work();
  EXPECT_EQ(ran, 1);
}

INSTANTIATE_TEST_SUITE_P(Worlds, Conformance, testing::Bool(),
                         [](const auto& param) { return param.param ? "Real" : "Simulated"; });

}  // namespace
}  // namespace flott

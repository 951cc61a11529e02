// The client and the server together: bodies, uploads, files, and what goes wrong.
#include "flott/rest/http_client.h"

#include <gtest/gtest.h>

#include <mutex>

#include "flott/base/tests/error_text.h"
#include "flott/rest/http_server.h"
#include "flott/rest/refusal.h"
#include "flott/rest/tests/loopback.h"

namespace flott {
namespace {

std::string readFile(Files& files, const std::string& path) {
  const auto reader = files.open(path);
  std::string text(reader->size(), '\0');
  for (size_t at = 0; at < text.size();) at += reader->read(at, {text.data() + at, text.size() - at});
  return text;
}

// Says what it got. /file/… takes files, /take keeps them, /part sends a part of one.
class Echo final : public RestHandler {
 public:
  Echo(Files& files, std::string folder) : files_(files), folder_(std::move(folder)) {}
  BodyPlan bodyPlan(const RestRequest& head) override {
    if (head.path == "/small") return BodyPlan::text(4);
    return head.path.starts_with("/file") ? BodyPlan::file(folder_ + "/uploads", 3'000'000) : BodyPlan();
  }
  RestResponse answer(const RestRequest& request) override {
    if (request.path == "/part")
      return {.file = FilePart{.path = folder_ + "/big", .offset = 10, .length = 100}};
    if (request.path == "/all")
      return {.contentType = "text/plain", .file = FilePart{.path = folder_ + "/big"}};
    if (request.path == "/none") return {.file = FilePart{.path = folder_ + "/none"}};
    if (request.path == "/empty") return {.file = FilePart{.path = folder_ + "/big", .offset = 1 << 30}};
    if (request.path == "/transient") throw Error(ErrorKind::kTransient, "not now");
    if (request.path == "/bug") throw Error(ErrorKind::kBug, "never");
    if (request.path == "/teapot") throw Refusal{418, "short and stout"};
    if (request.path == "/moved") return {.status = 303, .headers = {{"Location", "/there"}}};
    std::string text = request.method + " " + request.contentType + " '" + request.body + "'";
    for (const auto& [name, value] : request.query) text += " " + name + "=" + value;
    for (const auto& [name, value] : request.form) text += " form " + name + "=" + value;
    for (const auto& upload : request.files) {
      text += " file " + upload->field + " '" + upload->name + "' " + std::to_string(upload->size);
      const std::lock_guard lock(mutex_);
      content = readFile(files_, upload->path());
      if (request.path == "/file/take") taken = upload->take();
    }
    return RestResponse::json(text, 201);
  }

  std::string content;
  std::string taken;

 private:
  Files& files_;
  const std::string folder_;
  std::mutex mutex_;
};

class HttpClientTest : public testing::Test {
 protected:
  HttpClientTest() {
    world.env.files.makeFolders(folder);
    const auto writer = world.env.files.create(folder + "/big", WriteMode::kCreate);
    for (int i = 0; i < 200'000; ++i) big += static_cast<char>('a' + i % 26);
    writer->write(big);
    writer->close();
  }
  ~HttpClientTest() override {
    for (const FileInfo& file : world.env.files.listFiles(folder)) world.env.files.remove(file.path);
    world.env.files.remove(folder + "/uploads");
    world.env.files.remove(folder);
  }
  size_t uploads() {
    return world.env.files.stat(folder + "/uploads") ? world.env.files.listFolder(folder + "/uploads").size()
                                                     : 0;
  }

  Loopback world;
  const std::string folder =
      testing::TempDir() + "/flott-http-client-" + std::to_string(world.env.random.seed());
  std::string big;
  Echo echo{world.env.files, folder};
  HttpServer server{world.env, {.ports = {{0, 0}}, .requestTime = Duration::seconds(2)}, echo};
  const HttpClient client{world.env, "127.0.0.1", server.port(), {.silence = Duration::seconds(20)}};
};

TEST_F(HttpClientTest, SendsAllMethodsWithBodies) {
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE", "GET"}) {
    const HttpClient::Answer answer = client.request(
        {.method = method, .path = "/x?a=b%20c", .contentType = "application/json", .body = "{\"x\":1}"});
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(answer.body, std::string(method) + " application/json '{\"x\":1}' a=b c");
    EXPECT_EQ(answer.contentType, "application/json; charset=UTF-8");
    EXPECT_EQ(answer.header("x-content-type-options"), "nosniff");
  }
  EXPECT_EQ(client.request({.method = "HEAD", .path = "/x"}).body, "");
  EXPECT_EQ(client.request({.path = "/moved"}).header("location"), "/there");
  EXPECT_EQ(client.request({.method = "POST", .path = "/x", .body = std::string(1 << 20, 'x')}).status, 201);
  EXPECT_EQ(client.url(), server.url());
}

TEST_F(HttpClientTest, GetsErrorsAsAnswers) {
  HttpClient::Answer answer = client.request({.path = "/teapot"});
  EXPECT_EQ(answer.status, 418);
  EXPECT_EQ(answer.errorText(), "short and stout");
  EXPECT_FALSE(answer.ok());
  EXPECT_EQ(client.request({.path = "/transient"}).status, 503);
  EXPECT_EQ(client.request({.path = "/bug"}).status, 500);
  answer = client.request({.method = "POST", .path = "/small", .body = "12345"});
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.errorText(), "the body has more than 4 bytes");
  answer = client.request({.method = "POST", .path = "/x", .body = std::string((1 << 20) + 1, 'x')});
  EXPECT_EQ(answer.status, 413);
}

TEST_F(HttpClientTest, UploadsFilesWhichGoUnlessTheyAreTaken) {
  HttpClient::Answer answer =
      client.request({.method = "POST", .path = "/file", .contentType = "a/b", .bodyFile = folder + "/big"});
  EXPECT_EQ(answer.body, "POST a/b '' file  '' 200000");
  EXPECT_EQ(echo.content, big);
  EXPECT_EQ(uploads(), 0u);
  answer = client.request(
      {.method = "POST", .path = "/file/take", .bodyFile = folder + "/big", .formField = "jarfile"});
  EXPECT_NE(answer.body.find(" '' file jarfile 'big' 200000"), std::string::npos) << answer.body;
  EXPECT_EQ(echo.content, big);
  EXPECT_EQ(uploads(), 1u);
  EXPECT_EQ(readFile(world.env.files, echo.taken), big);
}

TEST_F(HttpClientTest, UploadsThatFailLeaveNothing) {
  const auto writer = world.env.files.create(folder + "/larger", WriteMode::kCreate);
  writer->write(std::string(3'000'001, 'x'));
  writer->close();
  EXPECT_EQ(client.request({.method = "POST", .path = "/file", .bodyFile = folder + "/larger"}).status, 413);
  EXPECT_EQ(world
                .send(server.port(),
                      "POST /file HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
                      "chunked\r\n\r\n4\r\nWiki\r\nx\r\n")
                .status,
            400);
  const std::string form = "Host: localhost\r\nContent-Type: multipart/form-data; boundary=B\r\n";
  EXPECT_EQ(
      world
          .send(server.port(), "POST /file HTTP/1.1\r\n" + form +
                                   "Content-Length: 74\r\n\r\n--B\r\nContent-Disposition: form-data; name=a; "
                                   "filename=b\r\n\r\ncontent ends.\r\n")
          .status,
      400);
  EXPECT_EQ(uploads(), 0u);
  EXPECT_EQ(errorText([&] {
              client.request({.method = "POST", .path = "/file", .bodyFile = folder + "/none"});
            }).substr(0, 4),
            "file");
}

TEST_F(HttpClientTest, DownloadsFilesAndPartsOfThem) {
  EXPECT_EQ(client.request({.path = "/part"}).body, big.substr(10, 100));
  EXPECT_EQ(client.request({.path = "/empty"}).body, "");
  EXPECT_EQ(client.request({.path = "/none"}).status, 404);
  const HttpClient::Answer answer = client.download({.path = "/all"}, folder + "/copy");
  EXPECT_EQ(answer.contentType, "text/plain");
  EXPECT_EQ(readFile(world.env.files, folder + "/copy"), big);
  EXPECT_EQ(client.download({.path = "/teapot"}, folder + "/not").errorText(), "short and stout");
  EXPECT_FALSE(world.env.files.stat(folder + "/not"));
  const HttpClient careful(world.env, "127.0.0.1", server.port(), {.answerBytes = 1000});
  EXPECT_EQ(errorText([&] { careful.request({.path = "/all"}); }, ErrorKind::kTransient),
            "no answer at " + server.url() + ": the body has more than 1000 bytes");
}

TEST_F(HttpClientTest, SaysThatNobodyAnswers) {
  const auto listener = world.env.network.listen("127.0.0.1", 0);
  const HttpClient silent(world.env, "127.0.0.1", listener->port(), {.silence = Duration::millis(20)});
  EXPECT_EQ(errorText([&] { silent.request({.path = "/"}); }, ErrorKind::kTransient),
            "no answer at " + silent.url() + ": it has been silent for 20 ms");
  listener->close();
  EXPECT_EQ(errorText([&] { silent.request({.path = "/"}); }, ErrorKind::kTransient)
                .find("no answer at " + silent.url() + ": cannot connect"),
            0u)
      << errorText([&] { silent.request({.path = "/"}); }, ErrorKind::kTransient);
}

// A server that answers each request with a text of the test's.
TEST_F(HttpClientTest, DoesNotTrustWhatAnswers) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "it closed the connection without an answer"},
      {"SSH-2.0-OpenSSH_9.2\r\n", "what answers there is no HTTP server"},
      {"HTTP/1.1 2\r\n\r\n", "what answers there is no HTTP server"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
       "the body cannot be read: it ends after 3 of 5 bytes"},
      {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabc",
       "the body cannot be read: 'x' is no Content-Length"},
      {"HTTP/1.1 200 OK\r\nX: y\r\n", "it closed the connection without an answer"},
  };
  for (const auto& [text, why] : cases) {
    const auto listener = world.env.network.listen("127.0.0.1", 0);
    const auto answering = world.env.threads.start({.name = "answering"}, [&listener, text = text] {
      const auto connection = listener->accept(Duration::seconds(10));
      char block[1000];
      connection->read(block);
      connection->write(text);
    });
    const HttpClient asking(world.env, "127.0.0.1", listener->port());
    EXPECT_EQ(errorText([&] { asking.request({.path = "/"}); }, ErrorKind::kTransient),
              "no answer at " + asking.url() + ": " + why);
    answering->join();
  }
}

TEST_F(HttpClientTest, EncodesForUrls) {
  EXPECT_EQ(urlEncoded("a-Z_0.~"), "a-Z_0.~");
  EXPECT_EQ(urlEncoded("a/b c&\xc3\xa4"), "a%2Fb%20c%26%C3%A4");
}

TEST_F(HttpClientTest, BodiesThatDoNotComeGet408) {
  HttpServer hasty{world.env, {.ports = {{0, 0}}, .requestTime = Duration::millis(50)}, echo};
  EXPECT_EQ(
      world.send(hasty.port(), "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab").status,
      408);
  EXPECT_EQ(world.send(hasty.port(), "POST /file HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab")
                .status,
            408);
  EXPECT_EQ(uploads(), 0u);
}

}  // namespace
}  // namespace flott

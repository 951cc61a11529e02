// Bodies as HTTP frames them, from pieces of any size, and forms.
#include "flott/rest/http_body.h"

#include <gtest/gtest.h>

#include "flott/env/simulated.h"
#include "flott/rest/multipart.h"
#include "flott/rest/refusal.h"

namespace flott {
namespace {

// Gives a text in pieces of `piece` bytes.
class TextSource final : public ByteSource {
 public:
  TextSource(std::string text, size_t piece) : text_(std::move(text)), piece_(piece) {}
  size_t read(std::span<char> into) override {
    const size_t n = std::min({into.size(), piece_, text_.size() - at_});
    std::copy_n(text_.begin() + static_cast<ptrdiff_t>(at_), n, into.begin());
    at_ += n;
    return n;
  }

 private:
  const std::string text_;
  const size_t piece_;
  size_t at_ = 0;
};

std::string refusalOf(auto&& deed) {
  try {
    deed();
  } catch (const Refusal& refusal) {
    return std::to_string(refusal.status) + " " + refusal.text;
  }
  return "was not refused";
}

std::string readAll(const std::string& text, BodyFraming framing, size_t piece, uint64_t limit = 1000) {
  TextSource source(text, piece);
  HttpBody body(source, framing, limit);
  std::string all;
  char block[7];
  while (const size_t n = body.read(block)) all.append(block, n);
  EXPECT_EQ(body.read(block), 0u);
  return all;
}

constexpr BodyFraming kChunked{.kind = BodyFraming::Kind::kChunked};

BodyFraming ofLength(uint64_t length) { return {.kind = BodyFraming::Kind::kLength, .length = length}; }

TEST(HttpBody, IsReadAsItIsFramed) {
  for (size_t piece : {1, 2, 3, 5, 100}) {
    EXPECT_EQ(readAll("hello world", ofLength(5), piece), "hello");
    EXPECT_EQ(readAll("4\r\nWiki\r\n6;a=b\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nX: y\r\n\r\nrest",
                      kChunked, piece),
              "Wikipedia in \r\n\r\nchunks.");
    EXPECT_EQ(readAll("A\n0123456789\n0\n\n", kChunked, piece), "0123456789");
    EXPECT_EQ(readAll("to the end", {.kind = BodyFraming::Kind::kUntilEnd}, piece), "to the end");
    EXPECT_EQ(readAll("nothing", {}, piece), "");
  }
}

TEST(HttpBody, IsRefusedWhenItIsTooLarge) {
  const std::string why = "413 the body has more than 4 bytes";
  TextSource source("", 1);
  EXPECT_EQ(refusalOf([&] { HttpBody(source, ofLength(5), 4); }), why) << "before a byte is read";
  EXPECT_EQ(readAll("abcd", ofLength(4), 1, 4), "abcd");
  EXPECT_EQ(refusalOf([] { readAll("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", kChunked, 3, 4); }), why);
  EXPECT_EQ(refusalOf([] { readAll("FFFFFFFFFFFFFFFF\r\nabcdefgh", kChunked, 3, 4); }), why);
  EXPECT_EQ(refusalOf([] { readAll("abcdefgh", {.kind = BodyFraming::Kind::kUntilEnd}, 3, 4); }), why);
}

TEST(HttpBody, IsRefusedWhenItBreaksOffOrCannotBeRead) {
  EXPECT_EQ(refusalOf([] { readAll("abc", ofLength(5), 2); }),
            "400 the body cannot be read: it ends after 3 of 5 bytes");
  for (const char* wrong :
       {"", "4", "4\r\nWi", "4\r\nWiki", "4\r\nWiki\r\n", "4\r\nWikipedia\r\n0\r\n\r\n", "x\r\n",
        "-4\r\nWiki\r\n", "\r\n", "10000000000000000\r\n", "0\r\nX: y\r\n", "0x4\r\nWiki\r\n0\r\n\r\n"})
    EXPECT_EQ(refusalOf([&] { readAll(wrong, kChunked, 2); }).substr(0, 28), "400 the body cannot be read:")
        << wrong;
  EXPECT_EQ(refusalOf([] { readAll(std::string(1000, '0'), kChunked, 99); }),
            "400 the body cannot be read: a line between chunks is too long");
  std::string trailers = "0\r\n";
  for (int i = 0; i < 1000; ++i) trailers += "X: y\r\n";
  EXPECT_EQ(refusalOf([&] { readAll(trailers, kChunked, 99); }),
            "400 the body cannot be read: it has too many trailers");
}

TEST(HttpBody, FramingComesFromHeaders) {
  EXPECT_EQ(bodyFraming({}, {}).kind, BodyFraming::Kind::kNone);
  EXPECT_EQ(bodyFraming({"0"}, {}).kind, BodyFraming::Kind::kNone);
  EXPECT_EQ(bodyFraming({"12", " 12 "}, {}).length, 12u);
  EXPECT_EQ(bodyFraming({}, {"Chunked"}).kind, BodyFraming::Kind::kChunked);
  for (const char* wrong : {"", "-1", "+1", "1 2", "0x1", "99999999999999999999", "1,1"})
    EXPECT_EQ(refusalOf([&] { bodyFraming({wrong}, {}); }).substr(0, 4), "400 ") << wrong;
  EXPECT_EQ(refusalOf([] {
              bodyFraming({"1", "2"}, {});
            }),
            "400 the body cannot be read: it has several lengths");
  EXPECT_EQ(refusalOf([] { bodyFraming({"1"}, {"chunked"}); }),
            "400 the body cannot be read: it has both Content-Length and Transfer-Encoding");
  EXPECT_EQ(refusalOf([] { bodyFraming({}, {"gzip, chunked"}); }),
            "501 the transfer encoding 'gzip, chunked' is not known: send the body as it is, or chunked");
}

class Parts final : public MultipartSink {
 public:
  void beginPart(const std::string& field, const std::optional<std::string>& file) override {
    text += field + (file ? "(" + *file + ")" : "") + "=";
  }
  void partData(std::string_view bytes) override { text += bytes; }
  void endPart() override { text += ";"; }

  std::string text;
};

std::string partsOf(const std::string& form, size_t piece) {
  Parts parts;
  MultipartParser parser("B", parts);
  for (size_t at = 0; at < form.size(); at += piece) parser.feed(std::string_view(form).substr(at, piece));
  parser.finish();
  return parts.text;
}

TEST(Multipart, IsTakenApartInPiecesOfAnySize) {
  const std::string form =
      "to be ignored\r\n--B \r\ncontent-disposition: form-data; name=\"jarfile\"; filename=\"C:\\dir\\a "
      "\\\"b\\\".jar\"\r\n"
      "Content-Type: application/java-archive\r\n\r\nPK\r\n--\r\n--A\r\n--B\r\n"
      "Content-Disposition: form-data; name=plain\r\n\r\n\r\n"
      "--B\r\nContent-Disposition: form-data; filename=../../up; "
      "name=\"x;y\"\r\n\r\n\r\n\r\n--B--\r\n--B\r\n";
  for (size_t piece = 1; piece <= form.size(); ++piece)
    ASSERT_EQ(partsOf(form, piece), "jarfile(a \"b\".jar)=PK\r\n--\r\n--A;plain=;x;y(up)=\r\n;") << piece;
}

TEST(Multipart, IsRefusedWhenItCannotBeRead) {
  const std::string head = "--B\r\nContent-Disposition: form-data; name=x\r\n\r\n";
  std::string many;
  for (int i = 0; i < 100; ++i) many += head + "v\r\n";
  for (const std::string& wrong : {std::string(), std::string("x"), head, head + "data", head + "data\r\n--B",
                                   std::string("--Bx\r\n\r\n"), std::string("--B\r\nX: y\r\n\r\n"),
                                   std::string(20'000, 'x'), "--B\r\n" + std::string(20'000, 'x'),
                                   std::string("--B\r\nContent-Disposition: form-data; name=\"x\r\n\r\n"),
                                   "--B" + std::string(20'000, ' '), many})
    for (size_t piece : {1, 1000, 100'000})
      EXPECT_EQ(refusalOf([&] { partsOf(wrong, piece); }).substr(0, 28), "400 the form cannot be read:")
          << wrong.substr(0, 100);
}

TEST(Multipart, BoundaryComesFromTheContentType) {
  EXPECT_EQ(multipartBoundary("application/json"), std::nullopt);
  EXPECT_EQ(multipartBoundary(""), std::nullopt);
  EXPECT_EQ(multipartBoundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\""), "a b");
  EXPECT_EQ(multipartBoundary("multipart/form-data;boundary=--x"), "--x");
  for (const std::string& wrong :
       {std::string("multipart/form-data"), std::string("multipart/form-data; boundary="),
        "multipart/form-data; boundary=" + std::string(300, 'x')})
    EXPECT_EQ(refusalOf([&] { multipartBoundary(wrong); }),
              "400 the form cannot be read: its Content-Type has no boundary");
}

// Whatever comes, it is read or refused.
TEST(Multipart, ChanceDoesNotHarmIt) {
  SimulatedEnv sim(1);
  Random random = sim.random().fork("forms");
  const std::string alphabet = "-B\r\n\";=: x";
  for (int i = 0; i < 20'000; ++i) {
    std::string form = i % 2 == 0 ? "--B\r\nContent-Disposition: form-data; name=\"a\"" : "";
    for (size_t n = random.below(60); n > 0; --n) form += alphabet[random.below(alphabet.size())];
    const size_t piece = 1 + random.below(20);
    std::string parts;
    std::string together;
    const std::string refused = refusalOf([&] { parts = partsOf(form, piece); });
    const std::string refusedTogether = refusalOf([&] { together = partsOf(form, 1000); });
    ASSERT_EQ(refused.substr(0, 3), refusedTogether.substr(0, 3)) << form;
    ASSERT_EQ(parts, together) << form;
    refusalOf([&] { readAll(form, kChunked, piece); });
  }
}

}  // namespace
}  // namespace flott

#include "flott/rest/http_client.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "flott/rest/http_body.h"
#include "flott/rest/http_text.h"
#include "flott/rest/refusal.h"

namespace flott {
namespace {

constexpr size_t kHeadBytes = 64 << 10;
constexpr size_t kReadBlock = 64 << 10;
constexpr const char* kBoundary = "flott-form-9d2c7a51e04b48f3";

std::string_view nameIn(std::string_view path) { return path.substr(path.find_last_of('/') + 1); }

}  // namespace

// One connection, one request, one answer.
class HttpClient::Exchange final : public ByteSource {
 public:
  Exchange(const HttpClient& client)
      : client_(client),
        connection_(client.env_.network.connect(client.address_, static_cast<uint16_t>(client.port_),
                                                client.options_.connectTimeout)) {}

  void send(const Request& request) {
    std::string before;
    std::string after;
    std::unique_ptr<FileReader> file;
    std::string type = request.contentType;
    uint64_t length = request.body.size();
    if (!request.bodyFile.empty()) {
      file = client_.env_.files.open(request.bodyFile);
      if (!request.formField.empty()) {
        before = std::string("--") + kBoundary +
                 "\r\nContent-Disposition: form-data; name=" + inQuotes(request.formField) +
                 "; filename=" + inQuotes(nameIn(request.bodyFile)) +
                 "\r\nContent-Type: application/octet-stream\r\n\r\n";
        after = std::string("\r\n--") + kBoundary + "--\r\n";
        type = std::string("multipart/form-data; boundary=") + kBoundary;
      }
      length = before.size() + file->size() + after.size();
    }
    connection_->write(head(request, type, length, file != nullptr) + before);
    if (file != nullptr) {
      sendFile(*file, length - before.size() - after.size(), request.bodyFile);
      connection_->write(after);
    } else {
      connection_->write(request.body);
    }
  }

  Answer readHead() {
    for (;;) {
      Answer answer = readOneHead();
      if (answer.status >= 200) return answer;
    }
  }

  BodyFraming framingOf(const Request& request, const Answer& answer) const {
    if (request.method == "HEAD" || answer.status == 204 || answer.status == 304) return {};
    std::vector<std::string> lengths;
    std::vector<std::string> encodings;
    for (const auto& [name, value] : answer.headers) {
      if (name == "content-length") lengths.push_back(value);
      if (name == "transfer-encoding") encodings.push_back(value);
    }
    if (lengths.empty() && encodings.empty()) return {.kind = BodyFraming::Kind::kUntilEnd};
    return bodyFraming(lengths, encodings);
  }

  // ByteSource
  size_t read(std::span<char> into) override {
    if (at_ < buffer_.size()) {
      const size_t n = std::min(into.size(), buffer_.size() - at_);
      std::copy_n(buffer_.begin() + static_cast<ptrdiff_t>(at_), n, into.begin());
      at_ += n;
      return n;
    }
    if (!connection_->waitReadable(client_.options_.silence))
      throw Error(ErrorKind::kTransient, "it has been silent for " + toString(client_.options_.silence));
    return connection_->read(into);
  }

 private:
  std::string head(const Request& request, const std::string& type, uint64_t length, bool hasFile) const {
    const bool six = client_.address_.find(':') != std::string::npos;
    std::string text = request.method + " " + request.path +
                       " HTTP/1.1\r\nHost: " + (six ? "[" + client_.address_ + "]" : client_.address_) + ":" +
                       std::to_string(client_.port_) + "\r\nConnection: close\r\n";
    if (!type.empty()) text += "Content-Type: " + type + "\r\n";
    if (hasFile || length > 0 || (request.method != "GET" && request.method != "HEAD"))
      text += "Content-Length: " + std::to_string(length) + "\r\n";
    for (const auto& [name, value] : request.headers) text += name + ": " + value + "\r\n";
    return text + "\r\n";
  }

  void sendFile(FileReader& file, uint64_t length, const std::string& path) {
    std::string block(kReadBlock, '\0');
    for (uint64_t at = 0; at < length;) {
      const size_t n = file.read(at, {block.data(), std::min<uint64_t>(block.size(), length - at)});
      if (n == 0)
        throw Error(ErrorKind::kUser, "the file '" + path + "' has become shorter while it was sent");
      connection_->write(std::string_view(block).substr(0, n));
      at += n;
    }
  }

  Answer readOneHead() {
    const std::string first = line();
    if (!first.starts_with("HTTP/1.") || first.size() < 12)
      throw Error(ErrorKind::kTransient, "what answers there is no HTTP server");
    Answer answer;
    std::from_chars(first.data() + 9, first.data() + 12, answer.status);
    if (answer.status < 100) throw Error(ErrorKind::kTransient, "what answers there is no HTTP server");
    for (std::string text = line(); !text.empty(); text = line()) {
      const size_t colon = std::min(text.find(':'), text.size());
      const std::string_view value = std::string_view(text).substr(std::min(colon + 1, text.size()));
      answer.headers.emplace_back(lowerCase(std::string_view(text).substr(0, colon)), trimmed(value));
    }
    answer.contentType = answer.header("content-type");
    return answer;
  }

  std::string line() {
    std::string line;
    for (;;) {
      if (at_ == buffer_.size()) {
        buffer_.clear();
        at_ = 0;
        char block[4096];
        const size_t n = read(block);
        if (n == 0) throw Error(ErrorKind::kTransient, "it closed the connection without an answer");
        buffer_.assign(block, n);
      }
      const char c = buffer_[at_++];
      if (++headBytes_ > kHeadBytes) throw Error(ErrorKind::kTransient, "its answer has too many headers");
      if (c == '\n') break;
      line += c;
    }
    if (line.ends_with('\r')) line.pop_back();
    return line;
  }

  const HttpClient& client_;
  const std::unique_ptr<Connection> connection_;
  std::string buffer_;
  size_t at_ = 0;
  size_t headBytes_ = 0;
};

std::string HttpClient::Answer::header(std::string_view name) const {
  for (const auto& [known, value] : headers)
    if (known == name) return value;
  return {};
}

std::string HttpClient::Answer::errorText() const {
  const nlohmann::json json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("errors") || !json["errors"].is_array()) return body;
  std::string text;
  for (const nlohmann::json& error : json["errors"])
    if (error.is_string()) text += (text.empty() ? "" : "\n") + error.get<std::string>();
  return text;
}

HttpClient::HttpClient(const Env& env, std::string address, int port, HttpClientOptions options)
    : env_(env), address_(std::move(address)), port_(port), options_(options) {}

std::string HttpClient::url() const {
  const bool six = address_.find(':') != std::string::npos;
  return "http://" + (six ? "[" + address_ + "]" : address_) + ":" + std::to_string(port_);
}

HttpClient::Answer HttpClient::request(const Request& request) const { return exchange(request, {}); }

HttpClient::Answer HttpClient::download(const Request& request, const std::string& file) const {
  try {
    return exchange(request, file);
  } catch (...) {
    env_.files.remove(file);
    throw;
  }
}

HttpClient::Answer HttpClient::exchange(const Request& request, const std::string& file) const {
  try {
    Exchange exchange(*this);
    std::optional<Error> unsent;
    try {
      exchange.send(request);
    } catch (const Error& error) {  // a server that refuses a request may answer before it has read all of it
      if (error.kind() != ErrorKind::kTransient) throw;
      unsent = error;
    }
    Answer answer;
    try {
      answer = exchange.readHead();
    } catch (const Error&) {
      if (unsent) throw Error(*unsent);
      throw;
    }
    const bool toFile = !file.empty() && answer.ok();
    HttpBody body(exchange, exchange.framingOf(request, answer), toFile ? UINT64_MAX : options_.answerBytes);
    const std::unique_ptr<FileWriter> writer = toFile ? env_.files.create(file, WriteMode::kCreate) : nullptr;
    std::string block(kReadBlock, '\0');
    while (const size_t n = body.read(block)) {
      const std::string_view bytes = std::string_view(block).substr(0, n);
      if (toFile) {
        writer->write(bytes);
      } else {
        answer.body += bytes;
      }
    }
    if (toFile) writer->close();
    return answer;
  } catch (const Refusal& refusal) {
    throw Error(ErrorKind::kTransient, "no answer at " + url() + ": " + refusal.text);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kTransient) throw;
    throw Error(ErrorKind::kTransient, "no answer at " + url() + ": " + error.message());
  }
}

std::string urlEncoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-_.~").find(c) != std::string_view::npos;
    if (plain) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return encoded;
}

}  // namespace flott

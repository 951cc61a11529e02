#include "flott/env/simulated_stores.h"

namespace flott {

class SimulatedStores::Writer final : public ObjectWriter {
 public:
  Writer(SimulatedStores& all, std::string uri) : all_(all), uri_(std::move(uri)) {}
  void write(std::string_view bytes) override {
    all_.mayFail("written", uri_);
    content_ += bytes;
  }
  void close() override {
    all_.mayFail("written", uri_);
    all_.objects_[uri_] = std::move(content_);
    all_.mayFail("written", uri_);
  }

 private:
  SimulatedStores& all_;
  const std::string uri_;
  std::string content_;
};

class SimulatedStores::Store final : public ObjectStore {
 public:
  explicit Store(SimulatedStores& all) : all_(all) {}

  std::unique_ptr<ObjectWriter> create(const std::string& uri) override {
    all_.mayFail("written", uri);
    return std::make_unique<Writer>(all_, uri);
  }
  void copy(const std::string& from, const std::string& to) override {
    all_.mayFail("written", to);
    const auto found = all_.objects_.find(from);
    if (found == all_.objects_.end()) throw objectError("read", from, "there is none");
    all_.objects_[to] = std::string(found->second);
    all_.mayFail("written", to);
  }
  void put(const std::string& uri, std::span<const std::string> parts) override {
    all_.mayFail("written", uri);
    std::string whole;
    for (const std::string& part : parts) whole += part;
    all_.objects_[uri] = std::move(whole);
    all_.mayFail("written", uri);
  }
  std::optional<uint64_t> size(const std::string& uri) override {
    all_.mayFail("looked for", uri);
    const auto found = all_.objects_.find(uri);
    return found == all_.objects_.end() ? std::nullopt : std::optional<uint64_t>(found->second.size());
  }
  std::string read(const std::string& uri, uint64_t offset, uint64_t length) override {
    all_.mayFail("read", uri);
    const auto found = all_.objects_.find(uri);
    if (found == all_.objects_.end()) throw objectError("read", uri, "there is none");
    return offset >= found->second.size() ? std::string() : found->second.substr(offset, length);
  }
  std::vector<ObjectInfo> list(const std::string& folder) override {
    all_.mayFail("listed", folder);
    std::vector<ObjectInfo> found;
    for (const auto& [uri, content] : all_.objects_) {
      if (uri.starts_with(folder + "/")) found.push_back({uri, content.size()});
    }
    return found;
  }
  void remove(const std::string& uri) override {
    all_.mayFail("removed", uri);
    all_.objects_.erase(uri);
    all_.mayFail("removed", uri);
  }
  void removeFolder(const std::string& folder) override {
    for (const ObjectInfo& object : list(folder)) remove(object.uri);
  }

 private:
  SimulatedStores& all_;
};

std::shared_ptr<ObjectStore> SimulatedStores::open(const std::string& uri, const StringMap&) {
  checkScheme(uri);
  return std::make_shared<Store>(*this);
}

void SimulatedStores::fail(const std::string& prefix, const std::string& reason) {
  if (reason.empty()) {
    faults_.erase(prefix);
  } else {
    faults_[prefix] = reason;
  }
}

void SimulatedStores::mayFail(const char* deed, const std::string& uri) {
  checkFault(deed, uri);
  if (failCount_ == 0 || random_.below(failEvery_) != 0) return;
  --failCount_;
  throw objectError(deed, uri, "the store is out of order");
}

void SimulatedStores::checkFault(const char* deed, const std::string& uri) const {
  for (const auto& [prefix, reason] : faults_) {
    if (uri.starts_with(prefix)) throw objectError(deed, uri, reason);
  }
}

}  // namespace flott

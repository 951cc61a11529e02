#include "flott/state/cold/cold_side.h"

#include <limits>

#include "flott/base/error.h"
#include "flott/state/memory_budget.h"
#include "flott/state/snapshot.h"

namespace flott {
namespace {

constexpr size_t kMostErased = 1024;              // before they are committed
constexpr size_t kMostPending = size_t{1} << 20;  // bytes
constexpr uint64_t kSign = uint64_t{1} << 63;

template <typename T>
void appendBigEndian(T number, std::string& out) {
  for (size_t shift = 8 * sizeof(T); shift > 0; shift -= 8)
    out.push_back(static_cast<char>(number >> (shift - 8)));
}

template <typename T>
T takeBigEndian(std::string_view& bytes) {
  if (bytes.size() < sizeof(T))
    throw Error(ErrorKind::kCorruption, "a key of the state on disk is too short");
  T number = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    number = static_cast<T>(number << 8 | static_cast<uint8_t>(bytes[i]));
  bytes.remove_prefix(sizeof(T));
  return number;
}

}  // namespace

std::string ColdKey::prefix(uint16_t state, int64_t nameSpace) {
  std::string prefix;
  appendBigEndian(state, prefix);
  prefix.push_back(nameSpace == kNoNamespace ? '\0' : '\1');
  if (nameSpace != kNoNamespace) appendBigEndian(static_cast<uint64_t>(nameSpace) ^ kSign, prefix);
  return prefix;
}

void ColdKey::appendOrder(uint64_t order, std::string& out) { appendBigEndian(order, out); }

std::string ColdKey::behind(std::string prefix) {
  size_t last = prefix.size();
  while (++prefix[--last] == 0) {
  }
  return prefix;
}

ColdKey ColdKey::parse(std::string_view stored) {
  ColdKey parts;
  parts.state = takeBigEndian<uint16_t>(stored);
  const bool hasNamespace = takeBigEndian<uint8_t>(stored) != 0;
  parts.nameSpace =
      hasNamespace ? static_cast<int64_t>(takeBigEndian<uint64_t>(stored) ^ kSign) : kNoNamespace;
  parts.order = takeBigEndian<uint64_t>(stored);
  parts.key = stored;
  return parts;
}

ColdSide::ColdSide(std::shared_ptr<ColdStore> store, uint64_t cacheBytes)
    : store_(std::move(store)),
      cacheBytes_(cacheBytes),
      clock_(std::make_shared<ColdExpiry::Clock>(std::numeric_limits<int64_t>::min())) {}

bool ColdSide::overBudget(const MemoryBudget& used) const { return used.used() > cacheBytes_; }

void ColdSide::expire(uint16_t state, ColdExpiry::Rule rule) {
  expiry_[state] = rule;
  store_->setFilter(std::make_shared<const ColdExpiry>(expiry_, clock_));
}

std::unique_ptr<const ColdFilter> ColdSide::expired() const {
  if (expiry_.empty()) return nullptr;
  return std::make_unique<const ColdExpiry>(expiry_,
                                            std::make_shared<const ColdExpiry::Clock>(clock_->load()));
}

uint16_t ColdSide::newState() {
  FLOTT_CHECK(states_ < std::numeric_limits<uint16_t>::max(), "too many states in one backend");
  return states_++;
}

void ColdSide::put(std::string_view key, std::string_view value) {
  store_->put(key, value);
  if (store_->pendingBytes() >= kMostPending) commit();
}

void ColdSide::append(std::string_view key, std::string_view list) {
  store_->append(key, list);
  if (store_->pendingBytes() >= kMostPending) commit();
}

void ColdSide::erase(std::string_view key) {
  erased_.emplace(key);
  store_->erase(key);
  if (erased_.size() >= kMostErased) commit();
}

void ColdSide::eraseRange(std::string_view from, std::string_view to) {
  store_->eraseRange(from, to);
  commit();
}

void ColdSide::commit() {
  store_->commit();
  erased_.clear();
}

std::unique_ptr<ColdScan> ColdSide::scan(std::string_view from, std::string_view to) {
  commit();
  return store_->scan(from, to);
}

std::unique_ptr<ColdFiles> ColdSide::files() {
  commit();
  return store_->files();
}

}  // namespace flott

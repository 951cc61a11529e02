#include "flott/operators/accumulators.h"

#include "flott/base/error.h"

namespace flott {
namespace {

template <typename A>
const A& sameClass(const Accumulator& other) {
  const A* same = dynamic_cast<const A*>(&other);
  if (same == nullptr) {
    throw Error(ErrorKind::kUser, "accumulators of one name have different classes: use one class per name");
  }
  return *same;
}

}  // namespace

namespace internal {

template <typename T>
void SumAccumulator<T>::merge(const Accumulator& other) {
  sum_ += sameClass<SumAccumulator>(other).sum_;
}
template class SumAccumulator<int32_t>;
template class SumAccumulator<int64_t>;
template class SumAccumulator<double>;

}  // namespace internal

void HistogramAccumulator::merge(const Accumulator& other) {
  for (const auto& [value, count] : sameClass<HistogramAccumulator>(other).counts_) counts_[value] += count;
}

std::string HistogramAccumulator::text() const {
  std::string text = "{";
  for (const auto& [value, count] : counts_) {
    text += (text.size() > 1 ? ", " : "") + std::to_string(value) + ": " + std::to_string(count);
  }
  return text + "}";
}

const Accumulator* Accumulators::find(const std::string& name) const {
  const auto at = byName_.find(name);
  return at == byName_.end() ? nullptr : at->second.get();
}

Accumulators Accumulators::clone() const {
  Accumulators copy;
  for (const auto& [name, accumulator] : byName_) copy.byName_[name] = accumulator->clone();
  return copy;
}

void Accumulators::merge(const Accumulators& other) {
  for (const auto& [name, accumulator] : other.byName_) {
    std::unique_ptr<Accumulator>& mine = byName_[name];
    if (mine == nullptr) {
      mine = accumulator->clone();
      continue;
    }
    try {
      mine->merge(*accumulator);
    } catch (Error& error) {
      throw std::move(error).at("accumulator '" + name + "'");
    }
  }
}

void Accumulators::wrongClass(const std::string& name) {
  throw Error(
      ErrorKind::kUser,
      "accumulator '" + name + "' exists with another class: use another name, or the same class everywhere");
}

}  // namespace flott

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

/// Stored in messages: add at the end only.
enum class Class : uint8_t { kForeign, kInt, kLong, kDouble, kHistogram };

Class classOf(const Accumulator& accumulator) {
  if (dynamic_cast<const IntCounter*>(&accumulator) != nullptr) return Class::kInt;
  if (dynamic_cast<const LongCounter*>(&accumulator) != nullptr) return Class::kLong;
  if (dynamic_cast<const DoubleCounter*>(&accumulator) != nullptr) return Class::kDouble;
  if (dynamic_cast<const HistogramAccumulator*>(&accumulator) != nullptr) return Class::kHistogram;
  return Class::kForeign;
}

std::unique_ptr<Accumulator> makeOf(Class which) {
  switch (which) {
    case Class::kInt:
      return std::make_unique<IntCounter>();
    case Class::kLong:
      return std::make_unique<LongCounter>();
    case Class::kDouble:
      return std::make_unique<DoubleCounter>();
    case Class::kHistogram:
      return std::make_unique<HistogramAccumulator>();
    case Class::kForeign:
      break;
  }
  return nullptr;
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

void HistogramAccumulator::encode(ByteWriter& out) const {
  out.varint(counts_.size());
  for (const auto& [value, count] : counts_) {
    out.zigzag(value);
    out.zigzag(count);
  }
}

void HistogramAccumulator::decode(ByteReader& in) {
  for (size_t left = in.count(2); left > 0; --left) {
    const int64_t value = in.zigzag();
    counts_[value] += in.zigzag();
  }
}

void ForeignAccumulator::merge(const Accumulator& other) {
  const std::vector<Part>& more = sameClass<ForeignAccumulator>(other).parts_;
  parts_.insert(parts_.end(), more.begin(), more.end());
}

std::string ForeignAccumulator::text() const {
  std::string text;
  for (const Part& part : parts_) text += (text.empty() ? "" : ", ") + part.text;
  return text;
}

void ForeignAccumulator::encode(ByteWriter& out) const {
  out.varint(parts_.size());
  for (const Part& part : parts_) {
    out.string(part.bytes);
    out.string(part.text);
  }
}

void ForeignAccumulator::decode(ByteReader& in) {
  for (size_t left = in.count(2); left > 0; --left) {
    Part& part = parts_.emplace_back();
    part.bytes = in.string();
    part.text = in.string();
  }
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

void Accumulators::encode(ByteWriter& out) const {
  out.varint(byName_.size());
  for (const auto& [name, accumulator] : byName_) {
    const Class which = classOf(*accumulator);
    out.string(name);
    out.fixed(static_cast<uint8_t>(which));
    if (which != Class::kForeign || dynamic_cast<const ForeignAccumulator*>(accumulator.get()) != nullptr) {
      accumulator->encode(out);
      continue;
    }
    std::string bytes;
    ByteWriter own(bytes);
    accumulator->encode(own);
    ForeignAccumulator(std::move(bytes), accumulator->text()).encode(out);
  }
}

Accumulators Accumulators::decode(ByteReader& in) {
  Accumulators all;
  for (size_t left = in.count(3); left > 0; --left) {
    std::unique_ptr<Accumulator>& entry = all.byName_[std::string(in.string())];
    const auto which = in.fixed<uint8_t>();
    if (which > static_cast<uint8_t>(Class::kHistogram)) in.fail("has an accumulator of an unknown class");
    entry = makeOf(static_cast<Class>(which));
    if (entry == nullptr) entry.reset(new ForeignAccumulator());
    entry->decode(in);
  }
  return all;
}

void Accumulators::wrongClass(const std::string& name) {
  throw Error(
      ErrorKind::kUser,
      "accumulator '" + name + "' exists with another class: use another name, or the same class everywhere");
}

}  // namespace flott

#include "flott/savepoints/operator_states.h"

#include "flott/base/error.h"
#include "flott/base/nearest.h"

namespace flott {

void failNoState(const OperatorSnapshot& op, const std::string& name, const std::vector<std::string>& there) {
  const std::vector<std::string_view> known(there.begin(), there.end());
  const std::string_view nearest = nearestOf(name, known);
  std::string all;
  for (const std::string& each : there) (all += all.empty() ? "" : ", ") += "'" + each + "'";
  throw Error(ErrorKind::kUser, nameOf(op) + " has no state '" + name + "'" +
                                    (nearest.empty() ? ": it has " + (all.empty() ? std::string("none") : all)
                                                     : ": did you mean '" + std::string(nearest) + "'?"));
}

std::vector<std::string> namesOf(const StoredKeyedState& keyed) {
  std::vector<std::string> names;
  for (const StoredKeyedState::State& state : keyed.states()) {
    if (names.empty() || names.back() != state.schema.name) names.push_back(state.schema.name);
  }
  return names;
}

std::string typeOf(const StoredKeyedState& keyed, const StoredKeyedState::State& state) {
  return kindForPeople(state.schema) + " of " + state.schema.value.toString() + " by " +
         keyed.key()->toString() + (state.schema.expires ? ", which expires" : "");
}

std::string typeOf(const StoredOperatorState& state) {
  return std::string(kindForPeople(state.redistribution)) + " of " +
         (state.type ? state.type->toString() : std::string("an unknown type"));
}

std::vector<std::string> OperatorStates::names() const {
  std::vector<std::string> names = namesOf(keyed_);
  for (const StoredOperatorState& state : lists_) {
    if (names.empty() || names.back() != state.name) names.push_back(state.name);
  }
  return names;
}

std::vector<std::unique_ptr<RowSource>> OperatorStates::rows(const std::string& name) {
  std::vector<std::unique_ptr<RowSource>> all;
  for (const StoredKeyedState::State& state : keyed_.find(name)) all.push_back(rowsOf(files_, keyed_, state));
  const bool isKeyed = !all.empty();
  for (const StoredOperatorState& state : lists_) {
    if (!isKeyed && state.name == name) all.push_back(rowsOf(keyed_.op(), state));
  }
  if (all.empty()) failNoState(keyed_.op(), name, names());
  return all;
}

}  // namespace flott

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
  for (const auto& [name, state] : keyed.states()) names.push_back(name);
  return names;
}

std::vector<std::string> OperatorStates::names() const {
  std::vector<std::string> names = namesOf(keyed_);
  for (const StoredOperatorState& state : lists_) names.push_back(state.name);
  return names;
}

std::unique_ptr<RowSource> OperatorStates::rows(const std::string& name) {
  if (const auto* state = keyed_.find(name)) return rowsOf(files_, keyed_, *state);
  if (const auto* state = findList(name)) return rowsOf(keyed_.op(), *state);
  failNoState(keyed_.op(), name, names());
}

const StoredOperatorState* OperatorStates::findList(std::string_view name) const {
  for (const StoredOperatorState& state : lists_) {
    if (state.name == name) return &state;
  }
  return nullptr;
}

std::string OperatorStates::typeOf(const std::string& name) const {
  if (const auto* state = keyed_.find(name)) {
    return kindForPeople(state->schema) + " of " + state->schema.value.toString() + " by " +
           keyed_.key()->toString() + (state->schema.expires ? ", which expires" : "");
  }
  const StoredOperatorState* state = findList(name);
  if (state == nullptr) return {};
  return std::string(kindForPeople(state->redistribution)) + " of " +
         (state->type ? state->type->toString() : std::string("an unknown type"));
}

}  // namespace flott

#include "flott/savepoints/savepoint_reader.h"

#include "flott/base/error.h"
#include "flott/savepoints/operator_states.h"

namespace flott {

SavepointReader::SavepointReader(const std::string& path, const Configuration& configuration)
    : SavepointReader(makeRealEnv({.log = {.level = LogLevel::kWarn}}), path, configuration) {}

SavepointReader::SavepointReader(std::shared_ptr<RealEnv> real, const std::string& path,
                                 const Configuration& configuration)
    : real_(std::move(real)), files_(real_->env(), storeOptions(configuration), path) {}

SavepointReader::SavepointReader(const Env& env, const std::string& path, const Configuration& configuration)
    : files_(env, storeOptions(configuration), path) {}

SavepointReader::Found SavepointReader::findState(const std::string& uid, const std::string& name,
                                                  std::string_view kind, const TypeDescription& key,
                                                  const TypeDescription& value) {
  const OperatorSnapshot& op = findOperator(files_.metadata(), uid);
  std::unique_ptr<StoredKeyedState>& keyed = keyed_[op.id];
  if (keyed == nullptr) keyed = std::make_unique<StoredKeyedState>(files_, op);
  const StoredKeyedState::State* state = keyed->find(name);
  if (state == nullptr) failNoState(op, name, namesOf(*keyed));
  const std::string what = "state '" + name + "' of " + nameOf(op);
  if (*keyed->key() != key) {
    throw Error(ErrorKind::kUser, what + " has keys of type " + keyed->key()->toString() + ", not " +
                                      key.toString() + ": read it with that type");
  }
  if (state->schema.kind != kind || state->schema.value != value) {
    throw Error(ErrorKind::kUser, what + " is " + state->schema.kind + " of " +
                                      state->schema.value.toString() + ", not " + std::string(kind) + " of " +
                                      value.toString() + ": read it with the descriptor it was written with");
  }
  return {*keyed, *state};
}

StoredOperatorState SavepointReader::findList(const std::string& uid, const std::string& name,
                                              Redistribution redistribution, const TypeDescription& type) {
  const OperatorSnapshot& op = findOperator(files_.metadata(), uid);
  std::vector<std::string> names;
  for (StoredOperatorState& state : readOperatorState(files_, op)) {
    names.push_back(state.name);
    if (state.name != name) continue;
    if (state.redistribution != redistribution || (state.type && *state.type != type)) {
      throw Error(ErrorKind::kUser,
                  "state '" + name + "' of " + nameOf(op) + " is a " +
                      std::string(kindForPeople(state.redistribution)) + " of " +
                      (state.type ? state.type->toString() : std::string("an unknown type")) + ", not a " +
                      std::string(kindForPeople(redistribution)) + " of " + type.toString() +
                      ": read it as it was written");
    }
    return std::move(state);
  }
  failNoState(op, name, names);
}

}  // namespace flott

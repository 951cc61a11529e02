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

std::vector<SavepointReader::Found> SavepointReader::findState(const std::string& uid,
                                                               const std::string& name, std::string_view kind,
                                                               const TypeDescription& key,
                                                               const TypeDescription& value) {
  const OperatorSnapshot& op = findOperator(files_.metadata(), uid);
  std::unique_ptr<StoredKeyedState>& keyed = keyed_[op.id];
  if (keyed == nullptr) keyed = std::make_unique<StoredKeyedState>(files_, op);
  std::vector<Found> all;
  const std::string what = "state '" + name + "' of " + nameOf(op);
  for (const StoredKeyedState::State& state : keyed->find(name)) {
    const KeyedStateSchema& schema = state.schema;
    if (*keyed->key() != key) {
      throw Error(ErrorKind::kUser, what + " has keys of type " + keyed->key()->toString() + ", not " +
                                        key.toString() + ": read it with that type");
    }
    const Compatibility fit = compare(schema.value, value);
    if (schema.kind != kind || fit.verdict == Compatibility::Verdict::kIncompatible) {
      throw Error(ErrorKind::kUser, what + " is " + schema.kind + " of " + schema.value.toString() +
                                        ", not " + std::string(kind) + " of " + value.toString() +
                                        ": read it with the descriptor it was written with");
    }
    Found& found = all.emplace_back(Found{keyed.get(), &state});
    if (fit.verdict == Compatibility::Verdict::kMigratable)
      found.rewriter.emplace(schema.value, value, timesPlace(schema.kind, schema.expires));
  }
  if (all.empty()) failNoState(op, name, namesOf(*keyed));
  return all;
}

OperatorStateBackend SavepointReader::lists(const std::string& uid, const std::string& name,
                                            Redistribution redistribution, const TypeDescription& type) {
  const OperatorSnapshot& op = findOperator(files_.metadata(), uid);
  OperatorStateImage image = readWholeOperatorState(files_, op);
  std::vector<std::string> names;
  bool found = false;
  for (const OperatorStateImage::State& state : image.states) {
    names.push_back(state.name);
    if (state.name != name) continue;
    found = true;
    if (state.redistribution == redistribution &&
        (!state.type || compare(*state.type, type).verdict != Compatibility::Verdict::kIncompatible)) {
      continue;
    }
    throw Error(ErrorKind::kUser, "state '" + name + "' of " + nameOf(op) + " is a " +
                                      std::string(kindForPeople(state.redistribution)) + " of " +
                                      (state.type ? state.type->toString() : std::string("an unknown type")) +
                                      ", not a " + std::string(kindForPeople(redistribution)) + " of " +
                                      type.toString() + ": read it as it was written");
  }
  if (!found) failNoState(op, name, names);
  return OperatorStateBackend(std::move(image));
}

}  // namespace flott

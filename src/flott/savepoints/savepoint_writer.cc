#include "flott/savepoints/savepoint_writer.h"

#include <algorithm>

#include "flott/base/error.h"
#include "flott/savepoints/operator_states.h"
#include "flott/state/checkpoint_storage.h"
#include "flott/state/keyed_section.h"

namespace flott {
namespace {

constexpr size_t kEncodedAtOnce = size_t{1} << 20;

/// A section of a part: as it was, in the savepoint that is copied, or written.
struct Section {
  StateHandle handle;
  bool written = false;
};

struct Part {
  bool finished = false;
  Section keyed;
  Section lists;
};

struct Operator {
  OperatorSnapshot head;  // without its subtasks
  std::vector<Part> parts;
};

OperatorStateImage decodeImage(const std::string& section) {
  if (section.empty()) return {};
  ByteReader in(section);
  return OperatorStateImage::decode(in);
}

void removeFrom(OperatorStateImage& image, const std::string& name) {
  std::erase_if(image.states, [&](const OperatorStateImage::State& state) { return state.name == name; });
}

}  // namespace

struct SavepointWriter::State {
  State(std::shared_ptr<RealEnv> realEnv, const Env& outside, const std::string& target, SavepointOptions how)
      : real(std::move(realEnv)),
        env(outside),
        options(std::move(how)),
        stores(storeOptions(options.configuration)),
        folder(locatedFolder(target)),
        storage(env.files, {.folder = folder, .stores = stores}, &env.stores) {
    checkMaxParallelism(options.maxParallelism);
    metadata.id = CheckpointId(1);
    metadata.kind = CheckpointKind::kSavepoint;
    metadata.jobName = options.jobName;
    checkFree();
  }

  void checkFree() {
    try {
      storage.readMetadata(folder);
    } catch (const Error& error) {
      if (error.message().starts_with("no checkpoint at")) return;
    }
    throw Error(ErrorKind::kUser, "there is a checkpoint in '" + folder +
                                      "' already: give the new savepoint another folder, or remove that one");
  }

  Operator* find(const std::string& which) {
    for (Operator& op : operators) {
      if (toString(op.head.id) == which || op.head.id == operatorIdOf(which)) return &op;
    }
    return nullptr;
  }

  Operator& existing(const std::string& which) {
    if (Operator* op = find(which)) return *op;
    CheckpointMetadata there;
    for (const Operator& op : operators) there.operators.push_back(op.head);
    const OperatorId id = findOperator(there, which).id;
    return *std::find_if(operators.begin(), operators.end(),
                         [id](const Operator& op) { return op.head.id == id; });
  }

  Operator& findOrAdd(const std::string& uid, uint32_t parts) {
    if (Operator* op = find(uid)) return *op;
    if (uid.empty())
      throw Error(ErrorKind::kUser, "an operator without a uid cannot be written: give its uid");
    Operator& op = operators.emplace_back();
    op.head.id = operatorIdOf(uid);
    op.head.name = uid;
    op.head.uid = uid;
    op.head.maxParallelism = options.maxParallelism;
    op.parts.resize(std::clamp<uint32_t>(parts, 1, options.maxParallelism));
    return op;
  }

  std::string read(const Section& section) {
    if (section.handle.empty()) return {};
    return section.written ? storage.read(folder, section.handle) : source->read(section.handle);
  }

  /// Where what is copied lies; empty for others.
  std::string placeOf(const Section& section) const {
    return section.written || section.handle.empty() ? std::string() : source->placeOf(section.handle);
  }

  void write(Section& section, std::string bytes) {
    const std::string name = "state-" + std::to_string(files++);
    section.handle = storage.writeTo(folder, name, {std::move(bytes)})[0];
    section.written = true;
  }

  std::shared_ptr<RealEnv> real;
  const Env env;
  const SavepointOptions options;
  const StringMap stores;
  const std::string folder;
  CheckpointStorage storage;
  std::unique_ptr<CheckpointFiles> source;
  CheckpointMetadata metadata;
  std::vector<Operator> operators;
  uint64_t files = 0;
  bool complete = false;
};

SavepointWriter::SavepointWriter(const std::string& folder, SavepointOptions options)
    : SavepointWriter(makeRealEnv({.log = {.level = LogLevel::kWarn}}), folder, std::move(options)) {}

SavepointWriter::SavepointWriter(const std::shared_ptr<RealEnv>& real, const std::string& folder,
                                 SavepointOptions options)
    : state_(std::make_unique<State>(real, real->env(), folder, std::move(options))) {}

SavepointWriter::SavepointWriter(const Env& env, const std::string& folder, SavepointOptions options)
    : state_(std::make_unique<State>(nullptr, env, folder, std::move(options))) {}

SavepointWriter::~SavepointWriter() = default;
SavepointWriter::SavepointWriter(SavepointWriter&&) noexcept = default;

void SavepointWriter::copyFrom(const std::string& path) {
  State& state = *state_;
  FLOTT_CHECK(state.operators.empty(), "copyFrom() comes before all else");
  state.source = std::make_unique<CheckpointFiles>(state.env, state.stores, path);
  const CheckpointMetadata& from = state.source->metadata();
  if (!from.channels.empty()) {
    throw Error(ErrorKind::kUser,
                "checkpoint " + std::to_string(from.id.value) + " in '" + from.folder +
                    "' has records that were on their way between operators, which would be lost: copy a "
                    "savepoint of the job, or a checkpoint whose barriers did not overtake "
                    "(execution.checkpointing.unaligned.enabled: false)");
  }
  state.metadata.id = from.id;
  state.metadata.triggered = from.triggered;
  if (state.metadata.jobName.empty()) state.metadata.jobName = from.jobName;
  for (const OperatorSnapshot& op : from.operators) {
    Operator& copy = state.operators.emplace_back();
    copy.head = op;
    copy.head.subtasks.clear();
    for (const SubtaskSnapshot& subtask : op.subtasks)
      copy.parts.push_back({subtask.finished, {subtask.keyed}, {subtask.operatorState}});
  }
}

void SavepointWriter::editKeyed(const std::string& uid, const TypeOps& key, uint32_t parts,
                                MoveFunction<void(KeyedStateBackend&)> edit) {
  State& state = *state_;
  Operator& op = state.findOrAdd(uid, parts);
  const uint32_t groups = op.head.maxParallelism;
  const auto count = static_cast<uint32_t>(op.parts.size());
  for (uint32_t i = 0; i < count; ++i) {
    const KeyGroupRange range = keyGroupRange(i, groups, count);
    RestoredKeyedState restored;
    const std::string place = state.placeOf(op.parts[i].keyed);
    std::string section = state.read(op.parts[i].keyed);
    try {
      if (!section.empty()) restored.add(std::move(section), range, groups, groups);
      KeyedStateBackend backend(
          key, {.keyGroups = range, .maxParallelism = groups, .processingTime = state.env.clock.wallTime()},
          std::move(restored));
      edit(backend);
      backend.clearCurrentKey();
      KeyedSnapshotWriter writer(backend);
      while (!backend.encodeSome(kEncodedAtOnce)) {
      }
      state.write(op.parts[i].keyed, writer.finish());
    } catch (Error& error) {
      error.at(nameOf(op.head));
      if (error.kind() == ErrorKind::kCorruption && !place.empty()) error.at(place);
      throw;
    }
  }
}

void SavepointWriter::replaceLists(const std::string& uid, OperatorStateImage image) {
  State& state = *state_;
  Operator& op = state.findOrAdd(uid, 1);
  // As if one subtask had it all and the parallelism then changed.
  const std::vector<OperatorStateImage> shares = split({&image, 1}, op.parts.size());
  for (size_t i = 0; i < op.parts.size(); ++i) {
    OperatorStateImage all = decodeImage(state.read(op.parts[i].lists));
    for (const OperatorStateImage::State& share : shares[i].states) {
      removeFrom(all, share.name);
      all.states.push_back(share);
    }
    std::sort(all.states.begin(), all.states.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    std::string bytes;
    ByteWriter out(bytes);
    all.encode(out);
    state.write(op.parts[i].lists, std::move(bytes));
  }
}

void SavepointWriter::removeOperator(const std::string& uid) {
  const OperatorId id = state_->existing(uid).head.id;
  std::erase_if(state_->operators, [id](const Operator& op) { return op.head.id == id; });
}

void SavepointWriter::removeState(const std::string& uid, const std::string& name) {
  State& state = *state_;
  Operator& op = state.existing(uid);
  bool found = false;
  std::vector<std::string> names;
  for (uint32_t i = 0; i < op.parts.size(); ++i) {
    Part& part = op.parts[i];
    if (std::string section = state.read(part.keyed); !section.empty()) {
      std::optional<std::string> without = withoutKeyedState(section, name, names);
      found |= without.has_value();
      if (without) state.write(part.keyed, *std::move(without));
    }
    OperatorStateImage image = decodeImage(state.read(part.lists));
    for (const OperatorStateImage::State& list : image.states) names.push_back(list.name);
    const size_t before = image.states.size();
    removeFrom(image, name);
    if (image.states.size() == before) continue;
    found = true;
    std::string bytes;
    ByteWriter out(bytes);
    if (!image.states.empty()) image.encode(out);
    state.write(part.lists, std::move(bytes));
  }
  if (!found) failNoState(op.head, name, names);
}

void SavepointWriter::changeUid(const std::string& uid, const std::string& newUid) {
  Operator& op = state_->existing(uid);
  if (state_->find(newUid) != nullptr)
    throw Error(ErrorKind::kUser, "there is an operator with uid '" + newUid + "' already: remove it first");
  op.head.uid = newUid;
  op.head.id = operatorIdOf(newUid);
}

std::string SavepointWriter::write() {
  State& state = *state_;
  FLOTT_CHECK(!state.complete, "write() was called twice");
  state.complete = true;
  state.metadata.operators.clear();
  for (Operator& op : state.operators) {
    OperatorSnapshot& whole = state.metadata.operators.emplace_back(std::move(op.head));
    for (Part& part : op.parts) {
      for (Section* section : {&part.keyed, &part.lists}) {
        if (!section->written && !section->handle.empty()) state.write(*section, state.read(*section));
      }
      whole.subtasks.push_back({part.finished, std::move(part.keyed.handle), std::move(part.lists.handle)});
    }
  }
  state.metadata.folder = state.folder;
  if (state.metadata.triggered == Timestamp::min()) state.metadata.triggered = state.env.clock.wallTime();
  state.storage.complete(state.metadata);
  return state.folder;
}

}  // namespace flott

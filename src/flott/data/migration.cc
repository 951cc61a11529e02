#include "flott/data/migration.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "flott/base/bytes.h"
#include "flott/base/error.h"
#include "flott/data/codec.h"

namespace flott {
namespace {

constexpr size_t kNone = static_cast<size_t>(-1);

/// The structs around a part of a description, innermost first: what kEnclosing counts.
struct Scope {
  const TypeDescription* type;
  const Scope* above;
};

using SkipCustom = void (*)(ByteReader& in);
using Customs = std::map<std::string, SkipCustom, std::less<>>;  // by name

void collectCustoms(const TypeDescription& type, Customs& out) {
  if (type.kind == TypeKind::kCustom && type.native.skip != nullptr) out[type.name] = type.native.skip;
  for (const TypeDescription& part : type.parts) collectCustoms(part, out);
}

std::string unknownCustom(const TypeDescription& type, const Customs& customs) {
  if (type.kind == TypeKind::kCustom && !customs.contains(type.name)) return type.name;
  for (const TypeDescription& part : type.parts) {
    if (std::string found = unknownCustom(part, customs); !found.empty()) return found;
  }
  return {};
}

/// Bytes of every value; 0 where that differs, or where a codec of its own knows. The counterpart of
/// reflect::fixedSize().
size_t fixedSize(const TypeDescription& type) {
  switch (type.kind) {
    case TypeKind::kBool:
    case TypeKind::kInt8:
    case TypeKind::kUint8:
      return 1;
    case TypeKind::kInt16:
    case TypeKind::kUint16:
      return 2;
    case TypeKind::kInt32:
    case TypeKind::kUint32:
    case TypeKind::kFloat:
      return 4;
    case TypeKind::kInt64:
    case TypeKind::kUint64:
    case TypeKind::kDouble:
    case TypeKind::kTimestamp:
    case TypeKind::kDuration:
      return 8;
    case TypeKind::kEnum:
      return fixedSize(type.parts.at(0));
    case TypeKind::kArray:
      return type.number == 0 ? 1 : type.number * fixedSize(type.parts.at(0));
    case TypeKind::kTuple:
    case TypeKind::kStruct: {
      size_t sum = 0;
      for (const TypeDescription& part : type.parts) {
        const size_t bytes = fixedSize(part);
        if (bytes == 0) return 0;
        sum += bytes;
      }
      return type.parts.empty() ? 1 : sum;
    }
    default:
      return 0;
  }
}

/// Reads past values by their description.
class StoredSkipper {
 public:
  explicit StoredSkipper(const Customs& customs) : customs_(customs) {}

  void skip(const TypeDescription& type, const Scope* scope, ByteReader& in, int depth) const {
    if (const size_t bytes = fixedSize(type)) {
      in.raw(bytes);
      return;
    }
    switch (type.kind) {
      case TypeKind::kString:
        in.string();
        return;
      case TypeKind::kOptional:
        checkDepth(in, depth);
        if (in.fixed<uint8_t>() != 0) skip(type.parts[0], scope, in, depth + 1);
        return;
      case TypeKind::kList:
      case TypeKind::kSet:
      case TypeKind::kMap:
        return skipMany(type, scope, in, depth);
      case TypeKind::kArray:
        for (uint64_t i = 0; i < type.number; ++i) skip(type.parts[0], scope, in, depth);
        return;
      case TypeKind::kVariant: {
        const auto index = in.fixed<uint8_t>();
        if (index >= type.parts.size()) in.fail("holds a variant with an unknown alternative");
        return skip(type.parts[index], scope, in, depth);
      }
      case TypeKind::kStruct: {
        const Scope here{&type, scope};
        for (const TypeDescription& part : type.parts) skip(part, &here, in, depth);
        return;
      }
      case TypeKind::kEnclosing:
        for (uint64_t level = type.number; level > 0; --level) scope = scope->above;
        return skip(*scope->type, scope->above, in, depth);
      case TypeKind::kCustom:
        return customs_.find(type.name)->second(in);
      default:
        for (const TypeDescription& part : type.parts) skip(part, scope, in, depth);
    }
  }

  static void checkDepth(const ByteReader& in, int depth) {
    if (depth > kMaxNesting) in.fail("nests values too deep");
  }

 private:
  void skipMany(const TypeDescription& type, const Scope* scope, ByteReader& in, int depth) const {
    checkDepth(in, depth);
    const size_t count = in.count();
    const size_t bytes = type.parts.size() == 1 ? fixedSize(type.parts[0]) : 0;
    if (bytes > 0) {
      if (count > in.remaining() / bytes) in.fail("counts more items than it can hold");
      in.raw(count * bytes);
      return;
    }
    for (size_t i = 0; i < count; ++i) {
      for (const TypeDescription& part : type.parts) skip(part, scope, in, depth + 1);
    }
  }

  const Customs& customs_;
};

/// How one type is read, and what is written for it.
struct Node {
  enum class Op : uint8_t {
    kCopy,      // by its description
    kOptional,  // a byte; unless it is 0, the part
    kMany,      // a count, then so many of the parts in turn
    kVariant,   // a byte that chooses the part
    kSequence,  // the parts in order
    kStruct     // by its steps
  };
  struct Step {
    enum class Kind : uint8_t {
      kWrite,    // a field that was kept
      kDrop,     // one that is not there any more
      kDefault,  // one that is new
    };
    Kind kind = Kind::kWrite;
    const Node* node = nullptr;  // of a stored field
    std::string bytes = {};      // kDefault
  };

  Op op = Op::kCopy;
  const TypeDescription* type = nullptr;  // stored
  const Scope* scope = nullptr;
  std::vector<const Node*> parts = {};
  std::vector<Step> steps = {};
  // Where the fields that were kept stand in another order: for each field now, its step.
  std::vector<size_t> order = {};
};

}  // namespace

// --- ValueSkipper ---

struct ValueSkipper::Plan {
  TypeDescription type;
  Customs customs;
};

ValueSkipper::ValueSkipper(const TypeDescription& type, const TypeDescription* known) {
  auto plan = std::make_unique<Plan>(Plan{type, {}});
  collectCustoms(type, plan->customs);
  if (known != nullptr) collectCustoms(*known, plan->customs);
  plan_ = std::move(plan);
}

ValueSkipper::~ValueSkipper() = default;
ValueSkipper::ValueSkipper(ValueSkipper&&) noexcept = default;

std::string ValueSkipper::obstacle() const { return unknownCustom(plan_->type, plan_->customs); }

void ValueSkipper::skip(ByteReader& in) const {
  StoredSkipper(plan_->customs).skip(plan_->type, nullptr, in, 0);
}

// --- Migration ---

struct Migration::Plan {
  Plan(const TypeDescription& was, const TypeDescription& is) : stored(was), now(is) {
    collectCustoms(now, customs);
    root = build(stored, now, {});
  }

  /// Around what is being built: as it was, as it is, and the nodes of both.
  struct Around {
    const Scope* stored = nullptr;
    const Scope* now = nullptr;
    std::vector<const Node*> nodes = {};  // outermost first
  };

  const Node* build(const TypeDescription& was, const TypeDescription& is, const Around& around) {
    if (was.kind == TypeKind::kEnclosing) return around.nodes[around.nodes.size() - 1 - was.number];
    if (was == is && !refersUp(was)) return copy(was, around);
    Node& node = add({.op = opOf(was.kind), .type = &was, .scope = around.stored});
    if (was.kind == TypeKind::kStruct) {
      Around inside = around;
      inside.stored = &*scopes.emplace_back(std::make_unique<Scope>(Scope{&was, around.stored}));
      inside.now = &*scopes.emplace_back(std::make_unique<Scope>(Scope{&is, around.now}));
      inside.nodes.push_back(&node);
      buildSteps(was, is, inside, node);
    } else {
      for (size_t i = 0; i < was.parts.size(); ++i)
        node.parts.push_back(build(was.parts[i], is.parts[i], around));
      if (was.kind == TypeKind::kArray) node.parts.assign(was.number, node.parts[0]);
    }
    return &node;
  }

  void run(const Node& node, ByteReader& in, ByteWriter& out, int depth) const;

  TypeDescription stored;
  TypeDescription now;
  Customs customs;
  std::vector<std::unique_ptr<Node>> nodes;
  std::vector<std::unique_ptr<const Scope>> scopes;
  const Node* root = nullptr;

 private:
  static bool refersUp(const TypeDescription& type) {
    return type.kind == TypeKind::kEnclosing || std::any_of(type.parts.begin(), type.parts.end(), refersUp);
  }

  static Node::Op opOf(TypeKind kind) {
    switch (kind) {
      case TypeKind::kOptional:
        return Node::Op::kOptional;
      case TypeKind::kList:
      case TypeKind::kSet:
      case TypeKind::kMap:
        return Node::Op::kMany;
      case TypeKind::kVariant:
        return Node::Op::kVariant;
      case TypeKind::kTuple:
      case TypeKind::kArray:
        return Node::Op::kSequence;
      case TypeKind::kStruct:
        return Node::Op::kStruct;
      default:
        return Node::Op::kCopy;
    }
  }

  Node& add(Node node) { return *nodes.emplace_back(std::make_unique<Node>(std::move(node))); }

  const Node* copy(const TypeDescription& type, const Around& around) {
    return &add({.op = Node::Op::kCopy, .type = &type, .scope = around.stored});
  }

  const Node* drop(const TypeDescription& type, const std::string& field, const Around& around) {
    if (const std::string custom = unknownCustom(type, customs); !custom.empty()) {
      throw Error(ErrorKind::kUser, "field '" + field + "' was removed, but its values are " + custom +
                                        ", which only a codec can read past, and the type does not use it "
                                        "any more: keep the field");
    }
    return copy(type, around);
  }

  void buildSteps(const TypeDescription& was, const TypeDescription& is, const Around& inside, Node& node);
  std::vector<std::string> defaultsOf(const TypeDescription& is, const Scope* scope) const;
  void runSteps(const Node& node, ByteReader& in, ByteWriter& out, int depth) const;
};

// Steps read the stored fields in their order; a field that is new is written before the first that stands
// behind it.
void Migration::Plan::buildSteps(const TypeDescription& was, const TypeDescription& is, const Around& inside,
                                 Node& node) {
  static const TypeDescription kNothing{.kind = TypeKind::kTuple};  // what a struct without fields is
  const std::vector<std::string> defaults = defaultsOf(is, inside.now);
  if (was.parts.empty()) {
    node.steps.push_back({.kind = Node::Step::Kind::kDrop, .node = copy(kNothing, inside)});
  }
  std::vector<size_t> stepOf(is.parts.size(), kNone);
  const auto isNew = [&](size_t field) {
    return std::find(was.fieldNames.begin(), was.fieldNames.end(), is.fieldNames[field]) ==
           was.fieldNames.end();
  };
  size_t next = 0;
  const auto writeNewUpTo = [&](size_t end) {
    for (; next < end; ++next) {
      if (!isNew(next)) continue;
      stepOf[next] = node.steps.size();
      node.steps.push_back({.kind = Node::Step::Kind::kDefault, .bytes = defaults[next]});
    }
  };
  bool moves = false;
  size_t last = 0;
  for (size_t i = 0; i < was.parts.size(); ++i) {
    const auto found = std::find(is.fieldNames.begin(), is.fieldNames.end(), was.fieldNames[i]);
    if (found == is.fieldNames.end()) {
      node.steps.push_back(
          {.kind = Node::Step::Kind::kDrop, .node = drop(was.parts[i], was.fieldNames[i], inside)});
      continue;
    }
    const auto field = static_cast<size_t>(found - is.fieldNames.begin());
    moves |= field < last;
    last = field;
    writeNewUpTo(field);
    stepOf[field] = node.steps.size();
    node.steps.push_back(
        {.kind = Node::Step::Kind::kWrite, .node = build(was.parts[i], is.parts[field], inside)});
  }
  writeNewUpTo(is.parts.size());
  if (is.parts.empty()) node.steps.push_back({.kind = Node::Step::Kind::kDefault, .bytes = defaults.at(0)});
  if (moves) node.order = std::move(stepOf);
}

/// What each field of a default-constructed struct is; of one without fields, what stands for it.
std::vector<std::string> Migration::Plan::defaultsOf(const TypeDescription& is, const Scope* scope) const {
  FLOTT_CHECK(is.native.encodedDefault != nullptr, is.toString() + " is no type of the program");
  const std::string all = is.native.encodedDefault();
  if (is.parts.empty()) return {all};
  std::vector<std::string> fields;
  ByteReader in(all);
  for (const TypeDescription& part : is.parts) {
    const size_t from = in.offset();
    StoredSkipper(customs).skip(part, scope, in, 0);
    fields.push_back(all.substr(from, in.offset() - from));
  }
  return fields;
}

void Migration::Plan::run(const Node& node, ByteReader& in, ByteWriter& out, int depth) const {
  switch (node.op) {
    case Node::Op::kCopy: {
      const char* const from = in.raw(0);
      StoredSkipper(customs).skip(*node.type, node.scope, in, depth);
      out.raw(from, static_cast<size_t>(in.raw(0) - from));
      return;
    }
    case Node::Op::kOptional: {
      StoredSkipper::checkDepth(in, depth);
      const auto present = in.fixed<uint8_t>();
      out.fixed(present);
      if (present != 0) run(*node.parts[0], in, out, depth + 1);
      return;
    }
    case Node::Op::kMany: {
      StoredSkipper::checkDepth(in, depth);
      const size_t count = in.count();
      out.varint(count);
      for (size_t i = 0; i < count; ++i) {
        for (const Node* part : node.parts) run(*part, in, out, depth + 1);
      }
      return;
    }
    case Node::Op::kVariant: {
      const auto index = in.fixed<uint8_t>();
      if (index >= node.parts.size()) in.fail("holds a variant with an unknown alternative");
      out.fixed(index);
      return run(*node.parts[index], in, out, depth);
    }
    case Node::Op::kSequence:
      for (const Node* part : node.parts) run(*part, in, out, depth);
      return;
    case Node::Op::kStruct:
      runSteps(node, in, out, depth);
  }
}

void Migration::Plan::runSteps(const Node& node, ByteReader& in, ByteWriter& out, int depth) const {
  const bool moves = !node.order.empty();
  std::string written;
  ByteWriter fields(written);
  ByteWriter& to = moves ? fields : out;
  std::vector<size_t> ends;  // in `written`, by step
  for (const Node::Step& step : node.steps) {
    switch (step.kind) {
      case Node::Step::Kind::kWrite:
        run(*step.node, in, to, depth);
        break;
      case Node::Step::Kind::kDrop:
        StoredSkipper(customs).skip(*step.node->type, step.node->scope, in, depth);
        break;
      case Node::Step::Kind::kDefault:
        to.raw(step.bytes.data(), step.bytes.size());
    }
    if (moves) ends.push_back(written.size());
  }
  for (const size_t step : node.order) {
    const size_t from = step == 0 ? 0 : ends[step - 1];
    out.raw(written.data() + from, ends[step] - from);
  }
}

Migration::Migration(const TypeDescription& stored, const TypeDescription& now)
    : plan_(std::make_unique<const Plan>(stored, now)) {}

Migration::~Migration() = default;
Migration::Migration(Migration&&) noexcept = default;

void Migration::run(ByteReader& in, ByteWriter& out) const { plan_->run(*plan_->root, in, out, 0); }

}  // namespace flott

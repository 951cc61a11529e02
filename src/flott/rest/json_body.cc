#include "flott/rest/json_body.h"

#include "flott/rest/refusal.h"

namespace flott {
namespace {

constexpr int kDepth = 16;

}  // namespace

nlohmann::json jsonBody(const std::string& text) {
  if (text.empty()) return nlohmann::json::object();
  bool tooDeep = false;
  const auto keep = [&tooDeep](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    tooDeep |= depth > kDepth;
    return depth <= kDepth;
  };
  nlohmann::json json = nlohmann::json::parse(text, keep, false);
  if (tooDeep)
    throw Refusal{400, "the JSON of the body nests deeper than " + std::to_string(kDepth) + " levels"};
  if (json.is_discarded()) throw Refusal{400, "the body is no JSON"};
  if (!json.is_object()) throw Refusal{400, "the body is no JSON object"};
  return json;
}

std::string render(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace flott

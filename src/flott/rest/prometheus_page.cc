#include "flott/rest/prometheus_page.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

namespace flott {
namespace {

constexpr std::string_view kHelp = "# HELP ";
constexpr std::string_view kType = "# TYPE ";

bool inName(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':';
}

std::string nameOf(std::string_view text) {
  std::string name(text);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !inName(c); }, '_');
  if (!name.empty() && name.front() >= '0' && name.front() <= '9') name.insert(name.begin(), '_');
  return name;
}

/// Bytes of the character at the beginning, if it is well-formed UTF-8; otherwise 0.
size_t characterBytes(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return 1;
  const size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < bytes) return 0;
  for (const char c : text.substr(1, bytes - 1))
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool noCharacter = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
  return overlong || noCharacter ? 0 : bytes;
}

std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  while (!text.empty()) {
    const size_t bytes = characterBytes(text);
    const std::string_view character = text.substr(0, std::max<size_t>(bytes, 1));
    text.remove_prefix(character.size());
    const char c = character.front();
    if (bytes == 0) {
      out += "\xef\xbf\xbd";  // what stands for a damaged character
    } else if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += character;
    }
  }
  return out;
}

std::string numberText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[64];
  const auto [end, problem] = std::abs(value) < 0x1p53 && value == std::trunc(value)
                                  ? std::to_chars(text, text + sizeof text, static_cast<int64_t>(value))
                                  : std::to_chars(text, text + sizeof text, value);
  return {text, end};
}

/// Shares of a histogram, by the names of its parts.
constexpr std::pair<std::string_view, std::string_view> kQuantiles[] = {
    {"median", "0.5"}, {"p75", "0.75"}, {"p90", "0.9"},   {"p95", "0.95"},
    {"p98", "0.98"},   {"p99", "0.99"}, {"p999", "0.999"}};

double part(const MetricReading& reading, std::string_view name) {
  for (const auto& [known, value] : reading.parts)
    if (known == name) return value;
  return 0;
}

std::string line(const std::string& name, const std::string& labels, double value) {
  return name + (labels.empty() ? "" : "{" + labels + "}") + " " + numberText(value) + "\n";
}

std::string linesOf(const std::string& name, const std::string& labels, const MetricReading& reading) {
  if (reading.kind != MetricKind::kHistogram) return line(name, labels, reading.value);
  std::string lines;
  const std::string before = labels.empty() ? "" : labels + ",";
  for (const auto& [of, quantile] : kQuantiles)
    lines += line(name, before + "quantile=\"" + std::string(quantile) + "\"", part(reading, of));
  lines += line(name + "_sum", labels, part(reading, "mean") * part(reading, "count"));
  lines += line(name + "_count", labels, part(reading, "count"));
  return lines;
}

std::string_view typeOf(MetricKind kind) {
  if (kind == MetricKind::kCounter) return "counter";
  return kind == MetricKind::kHistogram ? "summary" : "gauge";
}

}  // namespace

std::string PrometheusPage::labelText(const Labels& labels) const {
  std::string text;
  std::set<std::string> seen;
  for (const auto& [label, value] : labels) {
    std::string name = nameOf(label);
    std::replace(name.begin(), name.end(), ':', '_');
    if (!seen.insert(name).second) continue;
    text += (text.empty() ? "" : ",") + name + "=\"";
    text += (options_.filterLabels ? nameOf(value) : escaped(value, true)) + "\"";
  }
  return text;
}

void PrometheusPage::add(std::string_view scope, const Labels& labels, const MetricReading& reading) {
  const std::string name =
      nameOf(options_.prefix + "_" + std::string(scope) + (scope.empty() ? "" : "_") + reading.name);
  if (samples_ == kMostSamples) {
    ++omitted_;
    return;
  }
  const std::string type(typeOf(reading.kind));
  const auto [family, isNew] = families_.try_emplace(
      name, Family{.help = escaped(reading.name + " (scope: " + std::string(scope) + ")", false),
                   .type = type,
                   .samples = {}});
  if (!isNew && family->second.type != type) return;  // a name has one type
  const std::string text = labelText(labels);
  samples_ += family->second.samples.try_emplace(text, linesOf(name, text, reading)).second;
}

// Each family begins with its help and its type.
void PrometheusPage::addOthers(std::string_view text) {
  Family* family = nullptr;  // null: not wanted
  std::string name;
  std::string help;
  while (!text.empty()) {
    const std::string_view all = text.substr(0, std::min(text.find('\n'), text.size()));
    text.remove_prefix(std::min(all.size() + 1, text.size()));
    if (all.starts_with(kHelp)) {
      const std::string_view rest = all.substr(kHelp.size());
      name = rest.substr(0, std::min(rest.find(' '), rest.size()));
      help = rest.substr(std::min(name.size() + 1, rest.size()));
      family = nullptr;
    } else if (all.starts_with(kType)) {
      const std::string type(all.substr(std::min(kType.size() + name.size() + 1, all.size())));
      const bool wanted = name.starts_with(options_.prefix + "_jobmanager_job_") ||
                          name.starts_with(options_.prefix + "_taskmanager_");
      if (!wanted) continue;
      family = &families_.try_emplace(name, Family{.help = help, .type = type, .samples = {}}).first->second;
      if (family->type != type) family = nullptr;
    } else if (family != nullptr && samples_ == kMostSamples) {
      ++omitted_;
    } else if (family != nullptr) {
      const std::string sample(all.substr(0, all.rfind(' ')));
      samples_ += family->samples.try_emplace(sample, std::string(all) + "\n").second;
    }
  }
}

std::string PrometheusPage::text() const {
  std::string text;
  for (const auto& [name, family] : families_) {
    text.append(kHelp).append(name).append(" ").append(family.help).append("\n");
    text.append(kType).append(name).append(" ").append(family.type).append("\n");
    for (const auto& [labels, lines] : family.samples) text += lines;
  }
  if (omitted_ > 0) {
    const std::string name = nameOf(options_.prefix + "_exporter_omitted");
    text += "# HELP " + name + " metrics that did not fit on the page\n# TYPE " + name + " gauge\n";
    text += line(name, "", static_cast<double>(omitted_));
  }
  return text;
}

}  // namespace flott

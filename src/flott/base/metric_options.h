// The options of metrics as others read them. As those of options.h, which does not include them: only
// standardOptions() and what serves metrics need them.
#pragma once

#include "flott/base/config.h"

namespace flott {

inline constexpr ConfigOption<std::string> kPrometheusPort{
    .key = "metrics.reporter.prom.port",
    .defaultText = std::nullopt,
    .description =
        "A port, a range or a list, as 9249 or 9250-9260, of which each process takes a free one to serve "
        "its "
        "metrics to Prometheus at /metrics. Without it they are beside the REST documents only."};

inline constexpr ConfigOption<std::string> kPrometheusBindAddress{
    .key = "flott.metrics.prometheus.bind-address",
    .defaultText = "127.0.0.1",
    .description =
        "The address of that port. One that other machines reach needs flott.rest.insecure, since nobody is "
        "asked who he is."};

inline constexpr ConfigOption<std::string> kPrometheusPrefix{
    .key = "flott.metrics.prometheus.prefix",
    .defaultText = "flott",
    .description =
        "What names of metrics begin with; flink, for dashboards and alerts that were made for it."};

inline constexpr ConfigOption<bool> kPrometheusFilterLabels{
    .key = "metrics.reporter.prom.filterLabelValueCharacters",
    .defaultText = "false",
    .description =
        "Whether characters of label values other than letters, digits, ':' and '_' become '_'. Values are "
        "escaped as they must be in any case."};

inline constexpr ConfigOption<bool> kStateLatency{
    .key = "state.latency-track.keyed-state-enabled",
    .defaultText = "false",
    .description =
        "Whether the time that functions wait for their keyed state is measured, by a histogram for each "
        "state "
        "and kind of access."};

inline constexpr ConfigOption<int64_t> kStateLatencySample{
    .key = "state.latency-track.sample-interval",
    .defaultText = "100",
    .description = "Of so many accesses of a kind one is measured.",
    .minimum = 1,
    .maximum = 1'000'000'000};

inline constexpr ConfigOption<bool> kStateLatencyNames{
    .key = "state.latency-track.state-name-as-variable",
    .defaultText = "true",
    .description =
        "Whether metrics of a state have its name after state_name., which makes it a label in Prometheus; "
        "otherwise it is the beginning of theirs."};

}  // namespace flott

// Which route a path takes, and how those that have none are refused.
#include "flott/rest/router.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "flott/rest/refusal.h"
#include "flott/rest/rest_api.h"

namespace flott {
namespace {

const std::vector<RoutePattern> kPatterns{{"GET", "/"},
                                          {"GET", "/jobs"},
                                          {"", "/jobs/{jobid}/**"},
                                          {"GET", "/jobs/{jobid}"},
                                          {"PATCH", "/jobs/{jobid}"},
                                          {"GET", "/jobs/overview"},
                                          {"GET", "/jobs/{jobid}/{part}"},
                                          {"GET", "/jobs/{jobid}/status"}};

// "3 5f2c", or "404 there is nothing at /x"
std::string found(std::string_view method, std::string_view path) {
  try {
    const Router::Found found = Router(kPatterns).find(method, path);
    std::string text = std::to_string(found.route);
    for (const std::string_view open : found.open) text.append(" ").append(open);
    return text;
  } catch (const Refusal& refusal) {
    return std::to_string(refusal.status) + " " + refusal.text;
  }
}

TEST(Router, FindsTheRouteAndWhatItLeavesOpen) {
  EXPECT_EQ(found("GET", "/"), "0");
  EXPECT_EQ(found("GET", ""), "0");
  EXPECT_EQ(found("GET", "/v1"), "0");
  EXPECT_EQ(found("GET", "/jobs"), "1");
  EXPECT_EQ(found("GET", "/v1/jobs/"), "1");
  EXPECT_EQ(found("GET", "//jobs//5f2c/"), "3 5f2c");
  EXPECT_EQ(found("PATCH", "/jobs/5f2c"), "4 5f2c");
  EXPECT_EQ(found("HEAD", "/jobs/5f2c"), "3 5f2c") << "as GET";
}

TEST(Router, WhatSaysMoreGoesFirstInWhateverOrder) {
  EXPECT_EQ(found("GET", "/jobs/overview"), "5");
  EXPECT_EQ(found("GET", "/jobs/5f2c/status"), "7 5f2c");
  EXPECT_EQ(found("GET", "/jobs/5f2c/plan"), "6 5f2c plan");
  EXPECT_EQ(found("POST", "/jobs/5f2c/plan/more"), "2 5f2c") << "any method, any rest";
}

TEST(Router, OtherMethodsAre405AndNameThoseThereAre) {
  EXPECT_EQ(found("POST", "/jobs/5f2c"), "405 POST is not for /jobs/5f2c; there is GET, PATCH");
  EXPECT_EQ(found("POST", "/jobs/overview"), "405 POST is not for /jobs/overview; there is GET")
      << "not that of a path that says less";
  EXPECT_EQ(found("A-METHOD-THAT-IS-TOO-LONG", "/jobs"),
            "405 A-METHOD-THAT-IS is not for /jobs; there is GET");
}

TEST(Router, WhatNoRouteFitsIs404) {
  EXPECT_EQ(found("GET", "/job"), "404 there is nothing at /job");
  EXPECT_EQ(found("GET", "/jobs/{jobid}/**"), "6 {jobid} **") << "braces of a client mean nothing";
  EXPECT_EQ(found("GET", "/" + std::string(1000, 'x')), "404 there is nothing at /" + std::string(255, 'x'));
}

TEST(Router, PathsOfManyPartsAreNoneOfOurs) {
  std::string most = "/jobs";
  for (size_t i = 1; i < kMostPathParts; ++i) most += "/x";
  EXPECT_EQ(found("GET", most), "2 x");
  EXPECT_EQ(found("GET", most + "/x"), "404 there is nothing at " + most + "/x");
}

TEST(Router, NoTwoRoutesOfTheApiAreTheSame) {
  std::vector<std::string> seen;
  for (const RoutePattern& pattern : RestApi::patterns()) {
    const std::string text = std::string(pattern.method) + " " + std::string(pattern.path);
    EXPECT_EQ(std::count(seen.begin(), seen.end(), text), 0) << text;
    seen.push_back(text);
    EXPECT_LE(pathParts(pattern.path).size(), kMostPathParts) << text;
  }
  EXPECT_GT(seen.size(), 40u);
}

}  // namespace
}  // namespace flott

// State that expires, in snapshots: what they keep of it, and what it is like where it is restored.
#include <gtest/gtest.h>

#include <map>

#include "flott/base/tests/error_text.h"
#include "flott/state/state_ttl.h"
#include "flott/state/tests/ttl_job.h"

namespace flott {
namespace {

TEST(StateTtlSnapshots, RestoredStateThatNobodyAccessesGoesWithTime) {
  for (const Where where : {Where{0}, Where{30'000}}) {
    TtlJob first(StateTtl::after(Duration(kLife)), 1000, {}, where);
    fill(first, 1000);
    TtlJob second(StateTtl::after(Duration(kLife)), 1050, restoredFrom(first.cut()), where);
    second.advanceTo(1000 + kLife - 1);
    EXPECT_EQ(second.entriesInSnapshot(), 5000u);
    second.advanceTo(1000 + kLife * 2);
    EXPECT_EQ(second.entriesInSnapshot(), 0u);
  }
}

TEST(StateTtlSnapshots, SnapshotsLeaveOutWhatHasExpiredIfAsked) {
  for (const Where where : {Where{0}, Where{30'000}}) {
    const StateTtl kept = StateTtl::after(Duration(kLife)).disableCleanupInBackground();
    for (const StateTtl& ttl : {kept, kept.cleanupFullSnapshot()}) {
      TtlJob job(ttl, 1000, {}, where);
      fill(job, 1000);
      job.advanceTo(1050);
      job.key(5);
      job.value.set(50);
      job.list.add(50);
      job.map.put(2, 50);
      job.map.put(3, 50);
      job.advanceTo(1000 + kLife);
      EXPECT_EQ(job.entriesInSnapshot(), ttl.cleansSnapshots() ? 3u : 5000u);
      const std::string section = job.cut();
      EXPECT_EQ(section.size() < 1000, ttl.cleansSnapshots());
      TtlJob restored(ttl, 1000 + kLife, restoredFrom(section), where);
      restored.key(5);
      EXPECT_EQ(restored.value.get(), 50);
      EXPECT_EQ(restored.list.get().size(), 1u);
      const auto& entries = restored.map.entries();
      EXPECT_EQ(Pairs(entries.begin(), entries.end()), (Pairs{{2, 50}, {3, 50}}));
      EXPECT_EQ(restored.reducing.get(), nullptr);
    }
  }
}

TEST(StateTtlSnapshots, ACutHasWhatWasThereWhateverIsCleanedUpMeanwhile) {
  TtlJob job(StateTtl::after(Duration(kLife)).returnExpiredIfNotCleanedUp());
  fill(job, 5000);
  KeyedSnapshotWriter writer(job.backend);
  EXPECT_FALSE(job.backend.encodeSome(1000));
  job.advanceTo(1000 + kLife * 2);
  while (!job.backend.encodeSome(1000)) {
  }
  TtlJob restored(StateTtl::after(Duration(kLife)), 1000, restoredFrom(writer.finish()));
  EXPECT_EQ(restored.entriesInSnapshot(), 25'000u);
  EXPECT_EQ(job.entriesInSnapshot(), 0u);
}

TEST(StateTtlSnapshots, IsTurnedOnAtARestore) {
  TtlJob plain(StateTtl::disabled());
  fill(plain, 100);
  TtlJob job(StateTtl::after(Duration(kLife)), 5000, restoredFrom(plain.cut()));
  for (const int64_t time : {5000 + kLife - 1, 5000 + kLife}) {
    const bool alive = time < 5000 + kLife;
    job.backend.setProcessingTime(Timestamp(time));
    job.key(42);
    EXPECT_EQ(job.value.get(), alive ? 42 : -1);
    EXPECT_EQ(job.list.get().size(), alive ? 3u : 0u);
    EXPECT_EQ(job.map.size(), alive ? 2u : 0u);
    EXPECT_EQ(job.reducing.get() != nullptr, alive);
    EXPECT_EQ(job.aggregating.get(), alive ? std::optional<int64_t>(42'001) : std::nullopt);
  }
}

TEST(StateTtlSnapshots, IsTurnedOffAtARestore) {
  TtlJob expiring(StateTtl::after(Duration(kLife)));
  fill(expiring, 100);
  TtlJob job(StateTtl::disabled(), 5000, restoredFrom(expiring.cut()));
  job.key(42);
  EXPECT_EQ(job.value.get(), 42);
  EXPECT_EQ(job.list.get().size(), 3u);
  EXPECT_EQ(*job.map.get(2), 42);
  EXPECT_EQ(*job.reducing.get(), 42);
  EXPECT_EQ(job.aggregating.get(), 42'001);
  EXPECT_EQ(job.backend.cleanUpAt(), Timestamp::max());
}

TEST(StateTtlSnapshots, AnotherTimeToLiveCountsFromTheOldTouch) {
  TtlJob first(StateTtl::after(Duration(kLife)));
  fill(first, 10);
  TtlJob second(StateTtl::after(Duration(kLife * 10)), 1000 + kLife * 9, restoredFrom(first.cut()));
  second.key(4);
  EXPECT_EQ(second.value.get(), 4);
  second.advanceTo(1000 + kLife * 10);
  second.key(4);
  EXPECT_EQ(second.value.get(), -1);
}

TEST(StateTtlSnapshots, IsPartOfTheSchema) {
  TtlJob job(StateTtl::after(Duration(kLife)));
  job.backend.state(ValueStateDescriptor<int64_t>("for ever"));
  const std::map<std::string, std::string> plain = {{"value", "int64"},
                                                    {"list", "list<int64>"},
                                                    {"map", "map<int64, int64>"},
                                                    {"reducing", "int64"},
                                                    {"aggregating", "struct{sum: int64, count: int64}"},
                                                    {"for ever", "int64"}};
  for (const KeyedStateSchema& schema : job.backend.schemas()) {
    EXPECT_EQ(schema.expires, schema.name != "for ever");
    EXPECT_EQ(schema.value.toString(), plain.at(schema.name));
  }
}

TEST(StateTtlSnapshots, SnapshotsFromBeforeItAreRead) {
  std::string section;
  ByteWriter out(section);
  out.fixed(uint32_t{0x53'4b'4c'46});
  out.varint(1);
  describe<int64_t>().encode(out);
  out.varint(1);
  out.string("value");
  out.string("value");
  describe<int64_t>().encode(out);
  const int64_t key = 3;
  out.varint(0);
  out.fixed(kNoNamespace);
  out.varint(keyGroupOf(hashKey(key), kDefaultMaxParallelism).value);
  out.fixed(uint64_t{0});
  out.varint(1);
  std::string entry;
  ByteWriter entryOut(entry);
  Codec<int64_t>::encode(key, entryOut);
  Codec<int64_t>::encode(30, entryOut);
  out.string(entry);
  TtlJob job(StateTtl::after(Duration(kLife)), 1000, restoredFrom(section));
  job.key(3);
  EXPECT_EQ(job.value.get(), 30);
}

TEST(StateTtlSnapshots, ListsAndMapsWhoseTimesDoNotFitAreRefused) {
  const auto refusal = [](auto value, auto&& spoil) {
    using E = decltype(value);
    std::string bytes;
    ByteWriter out(bytes);
    Codec<E>::encode(value, out);
    spoil(bytes);
    return errorText(
        [&] {
          ByteReader in(bytes);
          Codec<E>::decode(in, value);
        },
        ErrorKind::kCorruption);
  };
  ExpiringList<int8_t> list;
  list.addAll(std::vector<int8_t>{1, 2}, Timestamp(5));
  EXPECT_NE(refusal(list, [](std::string& bytes) { bytes[5] = 6; }).find("times do not fit"),
            std::string::npos);  // the first later than the second
  ExpiringMap<int64_t, int64_t> map;
  map.at(1, Timestamp(5));
  const auto untouched = [](std::string& bytes) {
    bytes.replace(bytes.size() - 8, 8, "\0\0\0\0\0\0\0\x80", 8);
  };
  EXPECT_NE(refusal(map, untouched).find("never touched"), std::string::npos);
}

}  // namespace
}  // namespace flott

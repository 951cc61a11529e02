#include "bench/loops/wordcount.h"
#include "bench/cases/cases.h"
#include "bench/engine/jobs.h"

namespace flott::bench {

Case wordcountCase() {
  return {.name = "wordcount",
          .what = "lines of ten words, split, running count of every word; a record is a word",
          .kind = CaseKind::kThroughput,
          .size = 2'700'000,
          .lanes = 1,
          .loop = wordcountLoop,
          .engine = wordcountJob};
}

}  // namespace flott::bench

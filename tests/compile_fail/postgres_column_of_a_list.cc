// expect: a field that becomes a column must be bool, a number, std::string, Timestamp
// expect: Article, flott::FieldName<flott::FixedText<4>{"tags"}>
#include "flott/flott.h"

using namespace flott;

struct Article {
  int64_t id = 0;
  std::vector<std::string> tags;
};

void write(DataStream<Article> articles) {
  articles.sinkTo(PostgresSink<Article>::insert("dbname=shop", "articles"));
}

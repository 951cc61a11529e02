#include "flott/rest/request_body.h"

#include "flott/rest/multipart.h"
#include "flott/rest/refusal.h"

namespace flott {
namespace {

constexpr size_t kBlock = 64 << 10;
constexpr size_t kFormTextBytes = 64 << 10;  // of all fields that are no files

class FormReader final : public MultipartSink {
 public:
  FormReader(BodyReader& reader, Files& files, const std::string& folder, RestRequest& request)
      : reader_(reader), files_(files), folder_(folder), request_(request) {}

  void beginPart(const std::string& field, const std::optional<std::string>& file) override {
    field_ = field;
    value_.clear();
    if (!file) return;
    std::shared_ptr<UploadedFile> upload = reader_.makeFile(folder_);
    upload->field = field;
    upload->name = *file;
    writer_ = files_.create(upload->path(), WriteMode::kCreate);
    request_.files.push_back(std::move(upload));
  }
  void partData(std::string_view bytes) override {
    if (writer_ != nullptr) {
      writer_->write(bytes);
      return;
    }
    textBytes_ += bytes.size();
    if (textBytes_ > kFormTextBytes)
      throw Refusal{413, "the fields of the form have more than " + std::to_string(kFormTextBytes) +
                             " bytes: send what is large as a file"};
    value_ += bytes;
  }
  void endPart() override {
    if (writer_ == nullptr) {
      request_.form[field_] = std::move(value_);
      return;
    }
    request_.files.back()->size = writer_->size();
    std::exchange(writer_, nullptr)->close();
  }

 private:
  BodyReader& reader_;
  Files& files_;
  const std::string& folder_;
  RestRequest& request_;
  std::string field_;
  std::string value_;
  size_t textBytes_ = 0;
  std::unique_ptr<FileWriter> writer_;
};

}  // namespace

BodyReader::BodyReader(const Env& env) : files_(env.files), run_(env.random.fork("rest uploads").next()) {}

std::shared_ptr<UploadedFile> BodyReader::makeFile(const std::string& folder) {
  files_.makeFolders(folder);
  return std::make_shared<UploadedFile>(
      files_, folder + "/upload-" + std::to_string(run_) + "-" + std::to_string(made_++));
}

void BodyReader::read(HttpBody& body, const BodyPlan& plan, RestRequest& request) {
  if (plan.kind == BodyPlan::Kind::kText) {
    char block[4096];
    while (const size_t n = body.read(block)) request.body.append(block, n);
    return;
  }
  std::string block(kBlock, '\0');
  if (const std::optional<std::string> boundary = multipartBoundary(request.contentType)) {
    FormReader reader(*this, files_, plan.folder, request);
    MultipartParser form(*boundary, reader);
    while (const size_t n = body.read(block)) form.feed(std::string_view(block).substr(0, n));
    form.finish();
    return;
  }
  std::shared_ptr<UploadedFile> upload = makeFile(plan.folder);
  const std::unique_ptr<FileWriter> writer = files_.create(upload->path(), WriteMode::kCreate);
  while (const size_t n = body.read(block)) writer->write(std::string_view(block).substr(0, n));
  upload->size = writer->size();
  writer->close();
  request.files.push_back(std::move(upload));
}

}  // namespace flott

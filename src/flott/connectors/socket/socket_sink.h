// Writes records to a TCP server: writeToSocket().
//
// A function of the user turns a record into bytes, its delimiter included. Bytes are gathered while a write
// is under way, up to a limit that then holds the job back. A lost connection is made again as the address
// says, and the bytes whose write failed are written again: the server may see a part of them twice.
//
//   stream.sinkTo(SocketSink<Click, ToLine>({"localhost", 9999, 3}, ToLine{}));
#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "flott/connectors/socket/reconnecting_socket.h"
#include "flott/operators/sink.h"

namespace flott {

/// Bytes on their way to a server. As its socket, one operator instance's own.
class SocketOutlet {
 public:
  /// Begins to connect.
  SocketOutlet(SocketAddress address, OperatorContext& context);
  void append(std::string_view bytes) {
    gathered_.append(bytes);
    if (!ready()) send();
  }
  /// Little enough is gathered.
  bool ready() const { return gathered_.size() < kMostGathered; }
  /// Hands on what was appended, as far as that is possible now. In each turn after askToResume(), too.
  void send();
  /// Everything has been written.
  bool empty() const { return gathered_.empty() && writing_->empty(); }
  void close() noexcept { socket_.close(); }

 private:
  static constexpr size_t kMostGathered = size_t{1} << 20;

  OperatorContext& context_;
  ReconnectingSocket socket_;
  std::string gathered_;
  const std::shared_ptr<std::string> writing_;  // off-loaded work holds on to it
  bool busy_ = false;                           // a write is under way
};

template <typename T, typename F>
class SocketWriter final : public SinkWriter<T> {
 public:
  SocketWriter(SocketAddress address, F encode) : address_(std::move(address)), encode_(std::move(encode)) {}

  void open(OperatorContext& context) override { outlet_.emplace(address_, context); }
  void write(const T& value, const SinkContext&) override { outlet_->append(encode_(value)); }
  bool ready() const override { return outlet_->ready(); }
  void resume() override { outlet_->send(); }
  void endBatch() override { outlet_->send(); }
  bool flush() override {
    outlet_->send();
    return outlet_->empty();
  }
  void close() noexcept override {
    if (outlet_) outlet_->close();
  }

 private:
  const SocketAddress address_;
  F encode_;
  std::optional<SocketOutlet> outlet_;
};

template <typename T, typename F>
class SocketSink {
  static_assert(std::is_invocable_r_v<std::string_view, F&, const T&> ||
                    std::is_invocable_r_v<std::string, F&, const T&>,
                "the function must be callable as f(const T&) and return the bytes to write as text");

 public:
  SocketSink(SocketAddress address, F encode) : address_(std::move(address)), encode_(std::move(encode)) {}
  std::unique_ptr<SocketWriter<T, F>> createWriter() const {
    return std::make_unique<SocketWriter<T, F>>(address_, encode_);
  }

 private:
  SocketAddress address_;
  F encode_;
};

}  // namespace flott

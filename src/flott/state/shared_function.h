// A user's function inside a state descriptor: copied with the descriptor and its handles, called through one
// pointer.
//
// All copies call the same object, from the task's thread only. Unlike std::function it needs no heavy
// header.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace flott {

template <typename Signature>
class SharedFunction;

template <typename R, typename... Args>
class SharedFunction<R(Args...)> {
 public:
  template <typename F>
  requires std::is_invocable_r_v<R, F&, Args...>
  explicit SharedFunction(F function)
      : function_(std::make_shared<F>(std::move(function))),
        call_([](void* f, Args... args) -> R { return (*static_cast<F*>(f))(std::forward<Args>(args)...); }) {
  }

  R operator()(Args... args) const { return call_(function_.get(), std::forward<Args>(args)...); }

 private:
  std::shared_ptr<void> function_;
  R (*call_)(void*, Args...);
};

}  // namespace flott

// A callable of any type behind one signature, that can be moved but not copied.
//
// std::function needs copyable callables and <functional> is too heavy for a header; the engine hands
// closures that own things (buffers, promises) from thread to thread. A callable of up to four words that
// moves without throwing lies inside the object, a larger one on the heap. Moving is never a copy of the
// callable. Not synchronised: one thread at a time. Calling an empty one is a broken invariant.
//
//   MoveFunction<void(int)> onSignal = [job = std::move(job)](int number) { job->cancel(number); };
//   onSignal(15);
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include "flott/base/error.h"

namespace flott {

template <typename Signature>
class MoveFunction;

template <typename R, typename... Args>
class MoveFunction<R(Args...)> {
 public:
  MoveFunction() = default;
  MoveFunction(std::nullptr_t) {}

  template <typename F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, MoveFunction> &&
           std::is_invocable_r_v<R, std::remove_cvref_t<F>&, Args...>) MoveFunction(F&& callable) {
    using Callable = std::remove_cvref_t<F>;
    if constexpr (sizeof(Callable) <= sizeof storage_ && alignof(Callable) <= alignof(void*) &&
                  std::is_nothrow_move_constructible_v<Callable>) {
      ::new (static_cast<void*>(storage_)) Callable(std::forward<F>(callable));
      table_ = &kInPlace<Callable>;
    } else {
      storage_[0] = new Callable(std::forward<F>(callable));
      table_ = &kOnHeap<Callable>;
    }
  }

  MoveFunction(MoveFunction&& other) noexcept : table_(std::exchange(other.table_, nullptr)) {
    if (table_ != nullptr) table_->move(other.storage_, storage_);
  }
  MoveFunction& operator=(MoveFunction&& other) noexcept {
    if (this != &other) {
      reset();
      table_ = std::exchange(other.table_, nullptr);
      if (table_ != nullptr) table_->move(other.storage_, storage_);
    }
    return *this;
  }
  ~MoveFunction() { reset(); }

  R operator()(Args... args) {
    FLOTT_CHECK(table_ != nullptr, "an empty function was called");
    return table_->call(storage_, std::forward<Args>(args)...);
  }
  explicit operator bool() const { return table_ != nullptr; }
  /// Destroys the callable and becomes empty.
  void reset() {
    if (table_ != nullptr) std::exchange(table_, nullptr)->destroy(storage_);
  }

 private:
  struct Table {
    R (*call)(void* storage, Args&&... args);
    void (*move)(void* from, void* to) noexcept;  // leaves nothing in `from`
    void (*destroy)(void* storage) noexcept;
  };

  template <typename F>
  static constexpr Table kInPlace = {
      [](void* storage, Args&&... args) -> R {
        return static_cast<R>((*static_cast<F*>(storage))(std::forward<Args>(args)...));
      },
      [](void* from, void* to) noexcept {
        ::new (to) F(std::move(*static_cast<F*>(from)));
        static_cast<F*>(from)->~F();
      },
      [](void* storage) noexcept { static_cast<F*>(storage)->~F(); }};

  template <typename F>
  static constexpr Table kOnHeap = {
      [](void* storage, Args&&... args) -> R {
        return static_cast<R>((**static_cast<F**>(storage))(std::forward<Args>(args)...));
      },
      [](void* from, void* to) noexcept { *static_cast<F**>(to) = *static_cast<F**>(from); },
      [](void* storage) noexcept { delete *static_cast<F**>(storage); }};

  const Table* table_ = nullptr;
  void* storage_[4];
};

}  // namespace flott

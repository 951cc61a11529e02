#include "flott/runtime/mailbox.h"

#include <memory>

namespace flott {

Mailbox::~Mailbox() {
  destroy(oldest_);
  destroy(newest_.load(std::memory_order_acquire));
}

void Mailbox::destroy(Letter* list) {
  while (list != nullptr) delete std::exchange(list, list->next);
}

void Mailbox::post(MoveFunction<void()> mail) {
  auto* letter = new Letter{std::move(mail)};
  posted_.fetch_add(1, std::memory_order_relaxed);
  posting_.fetch_add(1, std::memory_order_relaxed);  // whoever sees the letter sees this
  letter->next = newest_.load(std::memory_order_relaxed);
  while (!newest_.compare_exchange_weak(letter->next, letter, std::memory_order_release,
                                        std::memory_order_relaxed)) {
  }
  owner_.wake();
  posting_.fetch_sub(1, std::memory_order_release);
}

void Mailbox::drain() {
  for (;;) {
    if (oldest_ == nullptr) {
      Letter* stack = newest_.exchange(nullptr, std::memory_order_acquire);
      while (stack != nullptr) {
        Letter* letter = std::exchange(stack, stack->next);
        letter->next = std::exchange(oldest_, letter);
      }
    }
    if (oldest_ == nullptr) return;
    const std::unique_ptr<Letter> letter(std::exchange(oldest_, oldest_->next));
    read_.store(read() + 1, std::memory_order_relaxed);
    letter->mail();
  }
}

}  // namespace flott

// The value of a MapState: a map that is walked in the order in which its keys were first put.
//
// A hash table's order must never reach an output, and a tree's order needs a less-than that keys do not
// have. Entries lie in one array in the order of insertion; from nine entries on an open-addressing index
// finds them. Removed entries leave holes until half are holes. Offers what the derived codecs expect of a
// map. Used by one thread.
#pragma once

#include <bit>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "flott/base/time.h"
#include "flott/data/key.h"

namespace flott {

template <Key K, typename V>
class OrderedMap {
 public:
  using key_type = K;
  using mapped_type = V;
  using value_type = std::pair<K, V>;

  /// An entry with a moment that its owner may note. It takes no room where alignment would leave some.
  struct Node {
    std::pair<K, V> entry;
    Timestamp stamp{0};  // Timestamp::min(): the entry was removed

    bool alive() const { return stamp != Timestamp::min(); }
  };

  class const_iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = std::pair<K, V>;
    using difference_type = ptrdiff_t;
    using pointer = const value_type*;
    using reference = const value_type&;

    const_iterator() = default;
    const_iterator(const Node* at, const Node* end) : at_(at), end_(end) { skipHoles(); }
    const value_type& operator*() const { return at_->entry; }
    const value_type* operator->() const { return &at_->entry; }
    Timestamp stamp() const { return at_->stamp; }
    const_iterator& operator++() {
      ++at_;
      skipHoles();
      return *this;
    }
    const_iterator operator++(int) {
      const const_iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const const_iterator& other) const { return at_ == other.at_; }

   private:
    void skipHoles() {
      while (at_ != end_ && !at_->alive()) ++at_;
    }
    const Node* at_ = nullptr;
    const Node* end_ = nullptr;
  };

  size_t size() const { return alive_; }
  bool empty() const { return alive_ == 0; }
  const_iterator begin() const { return {nodes_.data(), nodes_.data() + nodes_.size()}; }
  const_iterator end() const {
    const Node* last = nodes_.data() + nodes_.size();
    return {last, last};
  }

  /// Null when it is not there. Good until the next change of the map.
  const V* find(const K& key) const { return const_cast<OrderedMap*>(this)->find(key); }
  V* find(const K& key) {
    Node* node = findNode(key);
    return node == nullptr ? nullptr : &node->entry.second;
  }
  const Node* findNode(const K& key) const { return const_cast<OrderedMap*>(this)->findNode(key); }
  Node* findNode(const K& key) {
    if (index_.empty()) {
      for (Node& node : nodes_) {
        if (node.alive() && keyEquals(node.entry.first, key)) return &node;
      }
      return nullptr;
    }
    const size_t mask = index_.size() - 1;
    for (size_t i = hashKey(key) & mask; index_[i] != 0; i = (i + 1) & mask) {
      Node& node = nodes_[index_[i] - 1];
      if (node.alive() && keyEquals(node.entry.first, key)) return &node;
    }
    return nullptr;
  }

  /// The value of the key and whether it was added; a key that is there keeps its place and value.
  template <typename... A>
  std::pair<V*, bool> tryEmplace(const K& key, A&&... value) {
    const auto [node, added] = tryEmplaceNode(key, std::forward<A>(value)...);
    return {&node->entry.second, added};
  }
  template <typename... A>
  std::pair<Node*, bool> tryEmplaceNode(const K& key, A&&... value) {
    if (Node* found = findNode(key)) return {found, false};
    nodes_.push_back(Node{{key, V(std::forward<A>(value)...)}});
    ++alive_;
    if (nodes_.size() > kUnindexed) indexLast();
    return {&nodes_.back(), true};
  }
  /// Adds the key or replaces its value.
  void put(const K& key, V value) {
    const auto [at, added] = tryEmplace(key, std::move(value));
    if (!added) *at = std::move(value);
  }
  std::pair<V*, bool> emplace(const value_type& entry) { return tryEmplace(entry.first, entry.second); }
  void emplace_hint(const const_iterator&, const value_type& entry) { emplace(entry); }
  void emplace_hint(const const_iterator&, K&& key, V&& value) { tryEmplace(key, std::move(value)); }

  bool erase(const K& key) {
    Node* node = findNode(key);
    if (node == nullptr) return false;
    remove(*node);
    if (nodes_.size() > 2 * alive_) compact();
    return true;
  }
  /// Removes the entries for whose node `condition` is true.
  template <typename F>
  void eraseIf(F&& condition) {
    forEachNode([&](Node& node) {
      if (condition(std::as_const(node))) remove(node);
    });
    if (nodes_.size() > 2 * alive_) compact();
  }
  /// f(Node&), in order. It may change the value and, but to Timestamp::min(), the stamp.
  template <typename F>
  void forEachNode(F&& f) {
    for (Node& node : nodes_) {
      if (node.alive()) f(node);
    }
  }

  void clear() {
    nodes_.clear();
    index_.clear();
    alive_ = 0;
  }

 private:
  static constexpr size_t kUnindexed = 8;

  /// The index has no more than half of its places taken; 0 is a free one, others are the node's position
  /// + 1.
  void indexLast() {
    if (nodes_.size() * 2 > index_.size()) {
      index_.assign(std::bit_ceil(nodes_.size() * 4), 0);
      for (size_t n = 0; n < nodes_.size(); ++n) addToIndex(n);
    } else {
      addToIndex(nodes_.size() - 1);
    }
  }
  void addToIndex(size_t n) {
    const size_t mask = index_.size() - 1;
    size_t i = hashKey(nodes_[n].entry.first) & mask;
    while (index_[i] != 0) i = (i + 1) & mask;
    index_[i] = static_cast<uint32_t>(n + 1);
  }

  void remove(Node& node) {
    node.stamp = Timestamp::min();
    node.entry.second = V();
    --alive_;
  }

  void compact() {
    std::erase_if(nodes_, [](const Node& node) { return !node.alive(); });
    index_.clear();
    if (nodes_.size() > kUnindexed) indexLast();
  }

  std::vector<Node> nodes_;
  std::vector<uint32_t> index_;
  size_t alive_ = 0;
};

}  // namespace flott

// Matching: which receive takes which message, by (context, source, tag), in constant time.
//
// Both tables are hash tables from a key to a queue of entries in their order of arrival. A posted receive stands in
// one queue, under its own key, wildcards included; a message looks into the four queues that could hold a receive for
// it and takes the oldest. A message that nobody waits for stands in the queue of its exact key, and, once a receive
// with wildcards of some kind has been seen, also in the queue of that kind's key: so programs without wildcards pay
// nothing for them.
//
// The entries are owned by who inserts them. Nothing here knows what a message is.
#pragma once

#include <mpi.h>

#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/list.hpp"

namespace cow::pt2pt {

struct MatchKey {
  std::uint64_t context = 0;
  std::int32_t source = 0;  // or MPI_ANY_SOURCE
  std::int32_t tag = 0;     // or MPI_ANY_TAG

  bool operator==(const MatchKey&) const = default;
};

// Which parts of a key are wildcards.
enum MatchClass : std::uint8_t { exact = 0, any_tag = 1, any_source = 2, any_both = 3 };
inline constexpr int match_classes = 4;

inline MatchClass class_of(const MatchKey& key) {
  return static_cast<MatchClass>((key.tag == MPI_ANY_TAG ? any_tag : 0) |
                                 (key.source == MPI_ANY_SOURCE ? any_source : 0));
}
inline MatchKey widen(MatchKey key, MatchClass to) {
  if (to & any_tag) key.tag = MPI_ANY_TAG;
  if (to & any_source) key.source = MPI_ANY_SOURCE;
  return key;
}

// Queues by key. One that has become empty stays, for the next with its key, until the table is full.
template <class Entry>
class QueueMap {
 public:
  struct Queue {
    MatchKey key;
    List<Entry> entries;
    Queue* next = nullptr;  // in the bucket, or in the list of free ones
  };

  QueueMap() : buckets_(64, nullptr) {}

  // Null, or a queue that may be empty.
  Queue* find(const MatchKey& key) {
    if (last_ && last_->key == key) return last_;
    for (Queue* queue = buckets_[bucket_of(key)]; queue; queue = queue->next)
      if (queue->key == key) return last_ = queue;
    return nullptr;
  }

  Queue& find_or_make(const MatchKey& key) {
    if (Queue* queue = find(key)) [[likely]]
      return *queue;
    return make(key);
  }

  // visit(Queue&) for each queue, in no order; some may be empty.
  template <class Visit>
  void each(Visit visit) const {
    for (Queue* queue : buckets_)
      for (; queue; queue = queue->next) visit(*queue);
  }

 private:
  std::size_t bucket_of(const MatchKey& key) const {
    const std::uint64_t pair =
        std::uint64_t{static_cast<std::uint32_t>(key.source)} << 32 | static_cast<std::uint32_t>(key.tag);
    std::uint64_t hash = (key.context ^ std::rotl(pair * 0x9e3779b97f4a7c15, 29)) * 0xbf58476d1ce4e5b9;
    hash ^= hash >> 32;
    return hash & (buckets_.size() - 1);
  }

  [[gnu::noinline]] Queue& make(const MatchKey& key) {
    if (count_ >= buckets_.size()) make_room();
    Queue& queue = take_free();
    queue.key = key;
    put(queue);
    ++count_;
    return *(last_ = &queue);
  }

  void put(Queue& queue) {
    Queue*& bucket = buckets_[bucket_of(queue.key)];
    queue.next = bucket;
    bucket = &queue;
  }

  Queue& take_free() {
    if (!free_) {
      slabs_.push_back(std::make_unique<Queue[]>(slab_size));
      for (std::size_t i = 0; i < slab_size; ++i) {
        slabs_.back()[i].next = free_;
        free_ = &slabs_.back()[i];
      }
    }
    Queue& queue = *free_;
    free_ = queue.next;
    return queue;
  }

  // Frees the empty queues; when few were empty, has more buckets.
  void make_room() {
    std::vector<Queue*> old(buckets_.size(), nullptr);
    old.swap(buckets_);
    last_ = nullptr;
    Queue* kept = nullptr;
    for (Queue* queue : old) {
      while (queue) {
        Queue* next = queue->next;
        Queue*& list = queue->entries.empty() ? free_ : kept;
        count_ -= queue->entries.empty();
        queue->next = list;
        list = queue;
        queue = next;
      }
    }
    if (count_ > buckets_.size() / 2) buckets_.resize(buckets_.size() * 2);
    while (kept) {
      Queue* next = kept->next;
      put(*kept);
      kept = next;
    }
  }

  static constexpr std::size_t slab_size = 64;
  std::vector<Queue*> buckets_;  // a power of two of them
  std::size_t count_ = 0;        // of queues, empty ones too
  Queue* last_ = nullptr;        // the one used last
  Queue* free_ = nullptr;
  std::vector<std::unique_ptr<Queue[]>> slabs_;
};

// Base of a posted receive.
template <class Entry>
struct PostedNode {
  Links<Entry> links;
  typename QueueMap<Entry>::Queue* queue = nullptr;  // null: not in the table
  std::uint64_t order = 0;
  MatchKey key;
};

template <class Entry>
class PostedTable {
 public:
  // `entry.key` may have wildcards.
  void insert(Entry& entry) {
    entry.order = next_order_++;
    ++count_[class_of(entry.key)];
    entry.queue = &map_.find_or_make(entry.key);
    entry.queue->entries.push_back(entry, links_of);
  }

  void remove(Entry& entry) {
    --count_[class_of(entry.key)];
    entry.queue->entries.remove(entry, links_of);
    entry.queue = nullptr;
  }

  // The oldest receive that a message matches; null when there is none. `key` has no wildcards.
  Entry* find(const MatchKey& key) {
    Entry* best = nullptr;
    for (int i = 0; i < match_classes; ++i) {
      if (count_[i] == 0) continue;
      const auto* queue = map_.find(widen(key, static_cast<MatchClass>(i)));
      Entry* first = queue ? queue->entries.front() : nullptr;
      if (first && (!best || first->order < best->order)) best = first;
    }
    return best;
  }

  // The same, and takes it out.
  Entry* take(const MatchKey& key) {
    Entry* best = find(key);
    if (best) remove(*best);
    return best;
  }

  bool empty() const { return (count_[exact] | count_[any_tag] | count_[any_source] | count_[any_both]) == 0; }

  // visit(Entry&) for each, in no order.
  template <class Visit>
  void each(Visit visit) const {
    map_.each([&](auto& queue) {
      for (Entry* entry = queue.entries.front(); entry; entry = entry->links.next) visit(*entry);
    });
  }

 private:
  static constexpr auto links_of = [](Entry& entry) -> Links<Entry>& { return entry.links; };

  QueueMap<Entry> map_;
  std::uint64_t next_order_ = 0;
  std::size_t count_[match_classes] = {};
};

// Base of a message that nobody waits for yet.
template <class Entry>
struct UnexpectedNode {
  Links<Entry> links[match_classes];
  typename QueueMap<Entry>::Queue* queues[match_classes] = {};  // null: not in this class's queues
  Links<Entry> all;
  MatchKey key;  // no wildcards
};

template <class Entry>
class UnexpectedTable {
 public:
  void insert(Entry& entry) {
    all_.push_back(entry, all_links);
    for (int i = 0; i < match_classes; ++i)
      if (indexed_[i]) index(entry, i);
    ++size_;
  }

  void remove(Entry& entry) {
    all_.remove(entry, all_links);
    for (int i = 0; i < match_classes; ++i) {
      auto*& queue = entry.queues[i];
      if (!queue) continue;
      queue->entries.remove(entry, [i](Entry& e) -> Links<Entry>& { return e.links[i]; });
      queue = nullptr;
    }
    --size_;
  }

  // The oldest message that a receive with this key matches; null when there is none. It stays in the table.
  Entry* find(const MatchKey& key) {
    if (size_ == 0) return nullptr;
    const MatchClass kind = class_of(key);
    if (!indexed_[kind]) index_all(kind);
    const auto* queue = maps_[kind].find(key);
    return queue ? queue->entries.front() : nullptr;
  }

  std::size_t size() const { return size_; }

  // visit(Entry&) for each, in the order of arrival.
  template <class Visit>
  void each(Visit visit) const {
    for (Entry* entry = all_.front(); entry; entry = entry->all.next) visit(*entry);
  }

 private:
  static constexpr auto all_links = [](Entry& entry) -> Links<Entry>& { return entry.all; };

  void index(Entry& entry, int kind) {
    entry.queues[kind] = &maps_[kind].find_or_make(widen(entry.key, static_cast<MatchClass>(kind)));
    entry.queues[kind]->entries.push_back(entry, [kind](Entry& e) -> Links<Entry>& { return e.links[kind]; });
  }

  // The first receive with such wildcards: from now on messages are indexed for it.
  void index_all(int kind) {
    indexed_[kind] = true;
    for (Entry* entry = all_.front(); entry; entry = entry->all.next) index(*entry, kind);
  }

  QueueMap<Entry> maps_[match_classes];
  bool indexed_[match_classes] = {true, false, false, false};
  List<Entry> all_;
  std::size_t size_ = 0;
};

}  // namespace cow::pt2pt

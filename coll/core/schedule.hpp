// A recorded collective: the verbs of one rank, in order. Compact, without pointers into the algorithm, so that
// progress can walk it, a persistent request can walk it again, and the examiner can simulate it for all ranks.
#pragma once

#include <vector>

#include "base/layout.hpp"
#include "coll/core/nodes.hpp"
#include "coll/core/verbs.hpp"

namespace cow::coll {

struct Entry {
  enum class Verb : std::uint8_t {
    send,      // n of type at `from`, to peer
    recv,      // n of type at `to`, from peer
    step,      // wait for all sends and receives above
    copy,      // n units at `from` to `to`
    reduce,    // n units: `to` = `from` op `to`
    transfer,  // n of type at `from`, into what the next entry (`received_as`) says
    received_as,
    // On the memory that the ranks of a node share, see shm/recorder.hpp.
    open,            // a new round, in which n bytes will be published; waits for a place for them
    publish,         // peer: whether nothing will be added
    complete,        // what was added after publishing
    await,           // until the ranks peer … n - 1 have published the present round
    await_complete,  // until peer has completed it
    fit,             // that peer published n bytes at most
    move,            // n bytes at `from` to `to`
    call,            // number n of what its request calls: see execute/shm/sequence.hpp
  };
  Verb verb;
  int peer;
  Address from;
  Address to;
  Count n;
  Datatype* type;  // null: the unit's
};

using Schedule = std::vector<Entry>;

namespace shm {
struct Terms;
}

// Where a recorded algorithm's scratch comes from: memory that lives as long as the schedule, or nowhere at all.
class ScratchSource {
 public:
  virtual ~ScratchSource() = default;
  virtual Address room(Count bytes) = 0;
};

// The verbs, written down. See verbs.hpp.
class Recorder {
 public:
  Recorder(int rank, int size, const Unit& unit, const Layout* layout, const Nodes* nodes, ScratchSource& scratch,
           const shm::Terms* memory = nullptr)
      : rank_(rank), size_(size), unit_(unit), layout_(layout), nodes_(nodes), scratch_(scratch), memory_(memory) {}

  int rank() const { return rank_; }
  int size() const { return size_; }
  const Layout* layout() const { return layout_; }
  const Nodes* nodes() const { return nodes_; }
  bool commutative() const { return unit_.commutative; }
  Count unit_size() const { return unit_.size; }
  Address at(Address base, Count i) const { return base + static_cast<Address>(i * unit_.extent); }

  void post_send(int to, Address buffer, Count n, Datatype* type = nullptr) {
    if (n > 0) post({Entry::Verb::send, to, buffer, 0, n, type});
  }
  void post_recv(int from, Address buffer, Count n, Datatype* type = nullptr) {
    if (n > 0) post({Entry::Verb::recv, from, 0, buffer, n, type});
  }
  void post_empty_send(int to) { post({Entry::Verb::send, to, 0, 0, 0, nullptr}); }
  void post_empty_recv(int from) { post({Entry::Verb::recv, from, 0, 0, 0, nullptr}); }

  void step() {
    if (posted_) schedule_.push_back({Entry::Verb::step, 0, 0, 0, 0, nullptr});
    posted_ = false;
  }

  void send(int to, Address buffer, Count n, Datatype* type = nullptr) {
    post_send(to, buffer, n, type);
    step();
  }
  void recv(int from, Address buffer, Count n, Datatype* type = nullptr) {
    post_recv(from, buffer, n, type);
    step();
  }
  void exchange(int to, Address out, Count out_n, int from, Address in, Count in_n) {
    post_recv(from, in, in_n);
    post_send(to, out, out_n);
    step();
  }
  void exchange_empty(int to, int from) {
    post_empty_recv(from);
    post_empty_send(to);
    step();
  }

  void copy(Address to, Address from, Count n) {
    if (n > 0 && to != from) schedule_.push_back({Entry::Verb::copy, 0, from, to, n, nullptr});
  }
  void transfer(Address to, Count to_n, Datatype* to_type, Address from, Count from_n, Datatype* from_type) {
    if (from_n == 0 || same_data(to, to_n, to_type, from, from_n, from_type)) return;
    schedule_.push_back({Entry::Verb::transfer, 0, from, 0, from_n, from_type});
    schedule_.push_back({Entry::Verb::received_as, 0, 0, to, to_n, to_type});
  }
  void reduce(Address left, Address right, Count n) {
    if (n > 0) schedule_.push_back({Entry::Verb::reduce, 0, left, right, n, nullptr});
  }
  Address scratch(Count n) { return n > 0 ? scratch_.room(unit_.span(n)) - static_cast<Address>(unit_.first(n)) : 0; }

  // For the verbs of shm/recorder.hpp.
  const Unit& unit() const { return unit_; }
  const shm::Terms* memory() const { return memory_; }
  void add(const Entry& entry) { schedule_.push_back(entry); }
  Address bytes_of_scratch(Count bytes) { return bytes > 0 ? scratch_.room(bytes) : 0; }

  // The end of recording.
  Schedule take() {
    step();
    return std::move(schedule_);
  }

 private:
  void post(const Entry& entry) {
    schedule_.push_back(entry);
    posted_ = true;
  }

  int rank_;
  int size_;
  Unit unit_;
  const Layout* layout_;
  const Nodes* nodes_;
  ScratchSource& scratch_;
  const shm::Terms* memory_;  // of a way on it
  Schedule schedule_;
  bool posted_ = false;
};

}  // namespace cow::coll

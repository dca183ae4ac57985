// The verbs, done at once over pt2pt: what a blocking collective runs on. See verbs.hpp.
//
// Nothing is allocated for small collectives: scratch comes from room inside this object, then from a buffer that is
// kept between calls; requests of a step are kept in place while they are few.
#pragma once

#include <memory>
#include <vector>

#include "base/layout.hpp"
#include "coll/core/collective.hpp"
#include "coll/core/nodes.hpp"
#include "coll/core/verbs.hpp"
#include "objects/comm.hpp"
#include "objects/datatype.hpp"
#include "objects/op.hpp"
#include "pt2pt/pt2pt.hpp"

namespace cow::coll {

// Copies a stream of data from one type's layout to another's; stops at the end of the shorter. Data that is there already,
// as in place, stays as it is.
void transfer_data(Address to, Count to_n, const Datatype& to_type, Address from, Count from_n,
                   const Datatype& from_type);

// Scratch of one call.
class Scratch {
 public:
  Scratch() = default;
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  Address room(Count bytes);  // 0 when there is no memory left

 private:
  static constexpr std::size_t inline_bytes = 1024;
  alignas(64) char inline_[inline_bytes];
  std::size_t used_ = 0;
  std::vector<void*> blocks_;
};

namespace shm {
class Parts;
}

class Run {
 public:
  // `parts`: those among the ranks of this node, on the memory that they share; null: they go by messages.
  Run(Comm& comm, int tag, const Unit& unit, const Layout* layout, const Nodes* nodes, shm::Parts* parts = nullptr)
      : comm_(comm), unit_(unit), layout_(layout), nodes_(nodes), parts_(parts), tag_(tag), rank_(comm.rank),
        size_(comm.size()) {}
  ~Run() {
    if (posted_ > 0) [[unlikely]]
      give_up_posted();
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  const Layout* layout() const { return layout_; }
  const Nodes* nodes() const { return nodes_; }
  bool commutative() const { return unit_.commutative; }
  Count unit_size() const { return unit_.size; }
  Address at(Address base, Count i) const { return base + static_cast<Address>(i * unit_.extent); }

  void post_send(int to, Address buffer, Count n, Datatype* type = nullptr) {
    if (n > 0) begin_send(to, buffer, n, type);
  }
  void post_recv(int from, Address buffer, Count n, Datatype* type = nullptr) {
    if (n > 0) begin_recv(from, buffer, n, type);
  }
  void post_empty_send(int to) { begin_send(to, 0, 0, nullptr); }
  void post_empty_recv(int from) { begin_recv(from, 0, 0, nullptr); }
  void step() {
    if (posted_ > 0) wait_posted();
  }

  void send(int to, Address buffer, Count n, Datatype* type = nullptr) {
    if (n > 0 && !stopped_) note(pt2pt::send(send_args(to, buffer, n, type)));
  }
  void recv(int from, Address buffer, Count n, Datatype* type = nullptr) {
    if (n > 0 && !stopped_) note(pt2pt::recv(recv_args(from, buffer, n, type), nullptr));
  }
  void exchange(int to, Address out, Count out_n, int from, Address in, Count in_n) {
    post_recv(from, in, in_n);
    send(to, out, out_n);
    step();
  }
  void exchange_empty(int to, int from) {
    post_empty_recv(from);
    if (!stopped_) note(pt2pt::send(send_args(to, 0, 0, nullptr)));
    step();
  }

  void copy(Address to, Address from, Count n) {
    if (n > 0 && to != from && !stopped_) transfer_data(to, n, *unit_.type, from, n, *unit_.type);
  }
  void transfer(Address to, Count to_n, Datatype* to_type, Address from, Count from_n, Datatype* from_type) {
    if (from_n == 0 || stopped_) return;
    transfer_data(to, to_n, to_type ? *to_type : *unit_.type, from, from_n, from_type ? *from_type : *unit_.type);
  }
  void reduce(Address left, Address right, Count n) {
    if (n > 0 && !stopped_)
      note(
          reduce_local(*unit_.op, *unit_.type, reinterpret_cast<const void*>(left), reinterpret_cast<void*>(right), n));
  }
  Address scratch(Count n);

  // A part of the collective among the ranks of this node, see run_in_node(): false when it is to go by messages.
  bool on_memory(Collective part, const Args& args) { return parts_ && part_on_memory(part, args); }

  Error result() const { return first_; }

 private:
  pt2pt::SendArgs send_args(int to, Address buffer, Count n, Datatype* type) {
    return {reinterpret_cast<const void*>(buffer), n, type ? type : unit_.type, to, tag_, &comm_, comm_.context | 1};
  }
  pt2pt::RecvArgs recv_args(int from, Address buffer, Count n, Datatype* type) {
    return {reinterpret_cast<void*>(buffer), n, type ? type : unit_.type, from, tag_, &comm_, comm_.context | 1};
  }
  void begin_send(int to, Address buffer, Count n, Datatype* type);
  void begin_recv(int from, Address buffer, Count n, Datatype* type);
  bool part_on_memory(Collective part, const Args& args);
  void keep(Request* request);
  Request& posted(int i) const { return *(i < few ? few_[i] : more_[static_cast<std::size_t>(i - few)]); }
  void wait_posted();
  void give_up_posted();
  void note(Error error) {
    if (error && !first_) first_ = error;
  }

  static constexpr int few = 16;
  Comm& comm_;
  const Unit& unit_;
  const Layout* layout_;
  const Nodes* nodes_;
  shm::Parts* const parts_;
  const int tag_;
  const int rank_;
  const int size_;
  int posted_ = 0;
  int waited_ = 0;        // of them
  bool stopped_ = false;  // without memory, or a rank of the node, nothing can go on
  Error first_ = success;
  Request* few_[few];
  std::vector<Request*> more_;
  Scratch scratch_;
};

// Runs algorithm number `algorithm` (of algorithms()).
void run_algorithm(std::size_t algorithm, Run& run, const Args& args);

}  // namespace cow::coll

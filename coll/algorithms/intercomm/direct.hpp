// Collectives of intercommunicators: each rank deals with each rank of the other group directly. Plain, not fast; the
// messages of a step are all posted at once. Written on the verbs, so that all three forms are there.
#pragma once

#include <mpi.h>

#include "coll/algorithms/parts/common.hpp"
#include "coll/core/collective.hpp"

namespace cow::coll {

template <class V>
class Across {
 public:
  Across(V& v, const Args& a) : v_(v), a_(a) {}

  void run(Collective which) {
    switch (which) {
      case Collective::barrier: return barrier();
      case Collective::bcast: return bcast();
      case Collective::gather:
        return gather([&](int r) { return v_.at(a_.recv, a_.count * r); }, [&](int) { return a_.count; });
      case Collective::gatherv:
        return gather([&](int r) { return v_.at(a_.recv, a_.displs[r]); }, [&](int r) { return a_.counts[r]; });
      case Collective::scatter:
        return scatter([&](int r) { return v_.at(a_.send, a_.count * r); }, [&](int) { return a_.count; });
      case Collective::scatterv:
        return scatter([&](int r) { return v_.at(a_.send, a_.send_displs[r]); },
                       [&](int r) { return a_.send_counts[r]; });
      case Collective::allgather:
        return all([&](int r) { v_.post_recv(r, v_.at(a_.recv, a_.count * r), a_.count); },
                   [&](int r) { v_.post_send(r, a_.send, a_.send_count); });
      case Collective::allgatherv:
        return all([&](int r) { v_.post_recv(r, v_.at(a_.recv, a_.displs[r]), a_.counts[r]); },
                   [&](int r) { v_.post_send(r, a_.send, a_.send_count); });
      case Collective::alltoall:
        return all([&](int r) { v_.post_recv(r, v_.at(a_.recv, a_.count * r), a_.count); },
                   [&](int r) { v_.post_send(r, v_.at(a_.send, a_.send_count * r), a_.send_count); });
      case Collective::alltoallv: return alltoallv();
      case Collective::reduce: return reduce();
      case Collective::allreduce: return sum(a_.count, 0, a_.count, [&](int) { return a_.send; });
      case Collective::reduce_scatter_block: {
        // Both groups give vectors of the same length; the other's ranks share ours among them.
        const Count theirs = a_.count * v_.size() / a_.remote;
        return sum(a_.count, 0, theirs, [&](int r) { return v_.at(a_.send, theirs * r); });
      }
      case Collective::reduce_scatter: {
        // How the other group cuts its blocks is not known here: everybody gets everything and takes its own.
        const int last = v_.size() - 1;
        const Count whole = a_.displs[last] + a_.counts[last];
        return sum(whole, a_.displs[v_.rank()], whole, [&](int) { return a_.send; });
      }
      case Collective::scan:
      case Collective::exscan:
      case Collective::neighbor_allgather:
      case Collective::neighbor_alltoall: return;  // refused before
    }
  }

 private:
  bool is_root() const { return a_.root == MPI_ROOT; }
  bool takes_part() const { return a_.root >= 0; }  // not the other ranks of the root's group

  template <class Receive, class Send>
  void all(Receive receive, Send send) {
    for (int r = 0; r < a_.remote; ++r) receive(r);
    for (int r = 0; r < a_.remote; ++r) send(r);
    v_.step();
  }

  void barrier() {
    all([&](int r) { v_.post_empty_recv(r); }, [&](int r) { v_.post_empty_send(r); });
  }

  void bcast() {
    if (takes_part()) return v_.recv(a_.root, a_.recv, a_.count);
    for (int r = 0; is_root() && r < a_.remote; ++r) v_.post_send(r, a_.recv, a_.count);
    v_.step();
  }

  template <class Place, class CountOf>
  void gather(Place place, CountOf count) {
    if (takes_part()) return v_.send(a_.root, a_.send, a_.count, a_.send_type);
    for (int r = 0; is_root() && r < a_.remote; ++r) v_.post_recv(r, place(r), count(r), a_.type);
    v_.step();
  }

  template <class Place, class CountOf>
  void scatter(Place place, CountOf count) {
    if (takes_part()) return v_.recv(a_.root, a_.recv, a_.count, a_.type);
    for (int r = 0; is_root() && r < a_.remote; ++r) v_.post_send(r, place(r), count(r), a_.send_type);
    v_.step();
  }

  void alltoallv() {
    const auto type = [&](int r) { return a_.types ? a_.types[r] : a_.type; };
    const auto send_type = [&](int r) { return a_.send_types ? a_.send_types[r] : a_.send_type; };
    all([&](int r) { v_.post_recv(r, v_.at(a_.recv, a_.displs[r]), a_.counts[r], type(r)); },
        [&](int r) { v_.post_send(r, v_.at(a_.send, a_.send_displs[r]), a_.send_counts[r], send_type(r)); });
  }

  void reduce() {
    if (takes_part()) return v_.send(a_.root, a_.send, a_.count);
    if (!is_root()) return;
    const Address arrived = v_.scratch(a_.count);
    v_.recv(0, a_.recv, a_.count);
    for (int r = 1; r < a_.remote; ++r) {
      v_.recv(r, arrived, a_.count);
      take_in(v_, a_.recv, arrived, a_.count, false);
    }
  }

  // Every remote rank's `n` units arrive; recv gets the sum, in the order of ranks, from unit `first` on. Remote rank r
  // is sent `out_n` units from out(r).
  template <class Out>
  void sum(Count n, Count first, Count out_n, Out out) {
    const Address arrived = v_.scratch(n * a_.remote);
    all([&](int r) { v_.post_recv(r, v_.at(arrived, n * r), n); }, [&](int r) { v_.post_send(r, out(r), out_n); });
    const Count own = a_.counts ? a_.counts[v_.rank()] : n;
    v_.copy(a_.recv, v_.at(arrived, first), own);
    for (int r = 1; r < a_.remote; ++r) take_in(v_, a_.recv, v_.at(arrived, n * r + first), own, false);
  }

  V& v_;
  const Args& a_;
};

}  // namespace cow::coll

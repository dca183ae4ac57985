// All-to-all with one message from each rank to each: pairwise, one partner a step, or linear, all at once. The v and w
// variants are the same text with blocks of any size and type.
//
// When: pairwise for large blocks (no link is shared by more than a step's messages), linear for middle ones.
// Cost: pairwise (p-1) (alpha + n beta); linear alpha + (p-2) alpha/2 + (p-1) n beta.
// Source: Thakur, Rabenseifner, Gropp, IJHPCA 2005.
#pragma once

#include "coll/algorithms/parts/common.hpp"

namespace cow::coll {

// The blocks of MPI_Alltoall: equal, in units.
template <class V>
struct EqualTraffic {
  V& v;
  const Args& a;
  void post_recv(int i) const { v.post_recv(i, v.at(a.recv, a.count * i), a.count); }
  void post_send(int i) const { v.post_send(i, v.at(a.send, a.count * i), a.count); }
  void own() const { v.copy(v.at(a.recv, a.count * v.rank()), v.at(a.send, a.count * v.rank()), a.count); }
};

// Those of MPI_Alltoallv and w.
template <class V>
struct GivenTraffic {
  V& v;
  const Args& a;
  Datatype* type(int i) const { return a.types ? a.types[i] : a.type; }
  Datatype* send_type(int i) const { return a.send_types ? a.send_types[i] : a.send_type; }
  void post_recv(int i) const { v.post_recv(i, v.at(a.recv, a.displs[i]), a.counts[i], type(i)); }
  void post_send(int i) const { v.post_send(i, v.at(a.send, a.send_displs[i]), a.send_counts[i], send_type(i)); }
  void own() const {
    const int r = v.rank();
    v.transfer(v.at(a.recv, a.displs[r]), a.counts[r], type(r), v.at(a.send, a.send_displs[r]), a.send_counts[r],
               send_type(r));
  }
};

template <Collective which, template <class> class Traffic>
struct AlltoallPairwise {
  static constexpr Collective collective = which;
  static constexpr const char* name = "pairwise";
  static bool valid(const Problem&) { return true; }
  static void cost(Cost& cost, const Problem& p) {
    for (int s = 1; s < p.size; ++s) {
      if (power_of_two(p.size))
        cost.exchange(s, static_cast<double>(p.bytes));
      else
        cost.shift(s, static_cast<double>(p.bytes));
    }
  }
  template <class V>
  static void run(V& v, const Args& a) {
    const Traffic<V> traffic{v, a};
    const int p = v.size();
    traffic.own();
    for (int s = 1; s < p; ++s) {
      traffic.post_recv(power_of_two(p) ? v.rank() ^ s : modulo(v.rank() - s, p));
      traffic.post_send(power_of_two(p) ? v.rank() ^ s : modulo(v.rank() + s, p));
      v.step();
    }
  }
};

template <Collective which, template <class> class Traffic>
struct AlltoallLinear {
  static constexpr Collective collective = which;
  static constexpr const char* name = "linear";
  static bool valid(const Problem& p) { return p.size <= 64; }  // more would flood every rank
  static void cost(Cost& cost, const Problem& p) {
    if (p.size > 1) cost.all(static_cast<double>(p.bytes), p.size);
  }
  template <class V>
  static void run(V& v, const Args& a) {
    const Traffic<V> traffic{v, a};
    const int p = v.size();
    for (int s = 1; s < p; ++s) traffic.post_recv(modulo(v.rank() - s, p));
    for (int s = 1; s < p; ++s) traffic.post_send(modulo(v.rank() + s, p));
    traffic.own();
    v.step();
  }
};

}  // namespace cow::coll

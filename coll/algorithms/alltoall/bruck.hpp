// All-to-all by Bruck's algorithm with radix k: block i (for rank + i) travels once for each digit of i that is not
// zero, together with all others that have the same digit there.
//
// When: small blocks; radix 2 has the fewest steps, a higher radix moves fewer bytes.
// Cost: ceil(log_k p) rounds of k - 1 messages of about p/k blocks, and three copies of everything.
// Source: Bruck, Ho, Kipnis, Upfal, Weathersby, "Efficient algorithms for all-to-all communications", IEEE TPDS 1997.
#pragma once

#include "coll/algorithms/parts/common.hpp"

namespace cow::coll {

template <int Radix>
struct AlltoallBruck {
  static constexpr Collective collective = Collective::alltoall;
  static constexpr const char* name = Radix == 2 ? "bruck" : Radix == 4 ? "bruck4" : "bruck8";
  static bool valid(const Problem& p) { return Radix == 2 || p.size > Radix; }

  static void cost(Cost& cost, const Problem& p) {
    const double block = static_cast<double>(p.bytes);
    for (int weight = 1; weight < p.size; weight *= Radix) {
      for (int digit = 1; digit < Radix && digit * weight < p.size; ++digit)
        cost.shift(digit * weight, block * blocks_with(p.size, weight, digit));
    }
    const double digits = static_cast<double>(log2_ceil(p.size)) / log2_ceil(Radix);
    cost.copy(block * p.size * (2 + 2 * digits * (Radix - 1.0) / Radix));
  }

  template <class V>
  static void run(V& v, const Args& a) {
    const int p = v.size();
    const int r = v.rank();
    const Count n = a.count;
    const Address blocks = v.scratch(n * p);
    const Address out = v.scratch(n * p);
    const Address in = v.scratch(n * p);
    v.copy(blocks, v.at(a.send, n * r), n * (p - r));
    v.copy(v.at(blocks, n * (p - r)), a.send, n * r);
    for (int weight = 1; weight < p; weight *= Radix) {
      int at = 0;
      each_digit(p, weight, [&](int digit) {
        const int first = at;
        each_block(p, weight, digit, [&](int i) { v.copy(v.at(out, n * at++), v.at(blocks, n * i), n); });
        v.post_recv(modulo(r - digit * weight, p), v.at(in, n * first), n * (at - first));
        v.post_send(modulo(r + digit * weight, p), v.at(out, n * first), n * (at - first));
      });
      v.step();
      at = 0;
      each_digit(p, weight, [&](int digit) {
        each_block(p, weight, digit, [&](int i) { v.copy(v.at(blocks, n * i), v.at(in, n * at++), n); });
      });
    }
    // Block i now comes from rank - i.
    for (int i = 0; i < p; ++i) v.copy(v.at(a.recv, n * modulo(r - i, p)), v.at(blocks, n * i), n);
  }

 private:
  template <class Visit>
  static void each_digit(int p, int weight, Visit visit) {
    for (int digit = 1; digit < Radix && digit * weight < p; ++digit) visit(digit);
  }
  template <class Visit>
  static void each_block(int p, int weight, int digit, Visit visit) {
    for (int base = digit * weight; base < p; base += Radix * weight)
      for (int i = base; i < std::min(base + weight, p); ++i) visit(i);
  }
  static int blocks_with(int p, int weight, int digit) {
    int n = 0;
    each_block(p, weight, digit, [&](int) { ++n; });
    return n;
  }
};

}  // namespace cow::coll

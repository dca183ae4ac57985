// Bine trees: broadcast and reduction over trees whose ranks are written in base -2.
//
// Ranks are counted from the root, p = 2^s, each as the s digits in base -2 of the number congruent to it. In step i,
// with m = s - i, a rank that has the data sends to the one whose m lowest digits all differ from its own; a rank
// receives in the first step in which its m lowest digits are all equal. The reduction is the same tree backwards.
//
// When: as the binomial tree, on rings, tori and machines where distant ranks share links; p a power of two.
// Cost: log2 p (alpha + n beta). Flipping the m lowest digits moves by the alternating sum of 1, 2, 4 … 2^(m-1), which
// is (2^m - (-1)^m) / 3 places, the |rho(m - 1)| of Swing, where the binomial tree moves by 2^(m-1): two thirds of the
// way in the long steps. All messages together travel sum 2^(s-m) |rho(m - 1)| links of a ring instead of s 2^(s-1).
// Source: De Sensi et al., "Bine trees", SC 2025.
#pragma once

#include "coll/algorithms/parts/common.hpp"

namespace cow::coll {

// The tree at one position: from whom, in which step, and to whom in which.
class BineTree {
 public:
  explicit BineTree(int size) : size_(size), digits_(log2_floor(size)) {}

  int digits() const { return digits_; }

  // The digits in base -2, as bits, of the number congruent to `position` that has so many digits.
  int to_digits(int position) const {
    int value = position > largest() ? position - size_ : position;
    int out = 0;
    for (int i = 0; i < digits_; ++i) {
      const int digit = value & 1;
      out |= digit << i;
      value = (value - digit) / -2;
    }
    return out;
  }
  int position(int digits) const {
    int value = 0;
    for (int i = 0; i < digits_; ++i)
      if (digits >> i & 1) value += i % 2 == 0 ? 1 << i : -(1 << i);
    return modulo(value, size_);
  }
  int partner(int at, int m) const { return position(to_digits(at) ^ ((1 << m) - 1)); }
  // With how many lowest digits all equal a position receives; one more than there are digits for the root.
  int received_at(int at) const {
    if (at == 0) return digits_ + 1;
    const int digits = to_digits(at);
    int m = digits_;
    while ((digits & ((1 << m) - 1)) != 0 && (digits & ((1 << m) - 1)) != (1 << m) - 1) --m;
    return m;
  }

 private:
  // The largest number of so many digits: all even places.
  int largest() const {
    int out = 0;
    for (int i = 0; i < digits_; i += 2) out += 1 << i;
    return out;
  }
  int size_;
  int digits_;
};

inline void cost_bine_tree(Cost& cost, const Problem& p, bool reduces) {
  const BineTree tree(p.size);
  for (int m = tree.digits(); m > 0; --m) {
    Traffic traffic = cost.flat();
    if (cost.patterns())
      traffic = cost.patterns()->of(pattern_name(PatternName::bine, m), [&](int rank, std::vector<int>& out) {
        if (tree.received_at(rank) > m) out.push_back(tree.partner(rank, m));
      });
    cost.known(traffic, static_cast<double>(p.bytes));
    if (reduces) cost.reduce(static_cast<double>(p.bytes));
  }
}

struct BcastBine {
  static constexpr Collective collective = Collective::bcast;
  static constexpr const char* name = "bine";
  static bool valid(const Problem& p) { return power_of_two(p.size); }
  static void cost(Cost& cost, const Problem& p) { cost_bine_tree(cost, p, false); }

  template <class V>
  static void run(V& v, const Args& a) {
    const int p = v.size();
    const BineTree tree(p);
    const int at = modulo(v.rank() - a.root, p);
    const auto rank = [&](int position) { return modulo(position + a.root, p); };
    const int received = tree.received_at(at);
    if (at != 0) v.recv(rank(tree.partner(at, received)), a.recv, a.count);
    for (int m = received - 1; m > 0; --m) v.send(rank(tree.partner(at, m)), a.recv, a.count);
  }
};

struct ReduceBine {
  static constexpr Collective collective = Collective::reduce;
  static constexpr const char* name = "bine";
  static bool valid(const Problem& p) { return p.commutative && power_of_two(p.size); }
  static void cost(Cost& cost, const Problem& p) { cost_bine_tree(cost, p, true); }

  template <class V>
  static void run(V& v, const Args& a) {
    const int p = v.size();
    const BineTree tree(p);
    const int at = modulo(v.rank() - a.root, p);
    const auto rank = [&](int position) { return modulo(position + a.root, p); };
    const int received = tree.received_at(at);
    if (received == 1 && at != 0) return v.send(rank(tree.partner(at, 1)), a.send, a.count);
    const Address sum = at == 0 ? a.recv : v.scratch(a.count);
    const Address arrived = p > 1 ? v.scratch(a.count) : 0;
    v.copy(sum, a.send, a.count);
    for (int m = 1; m < received && m <= tree.digits(); ++m) {
      v.recv(rank(tree.partner(at, m)), arrived, a.count);
      v.reduce(arrived, sum, a.count);
    }
    if (at != 0) v.send(rank(tree.partner(at, received)), sum, a.count);
  }
};

}  // namespace cow::coll

// Which algorithm a collective takes: the valid one with the lowest predicted time, unless a setting or an info key
// names another. Decided for a number of ranks, a layout and what memory they share, once for each
// collective and the bytes up to each power of two.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "coll/select/registry.hpp"

namespace cow::coll {

// Algorithms named by a user: "allreduce=ring,bcast=binomial".
struct Forced {
  std::array<const Algorithm*, collectives> by_collective{};
};
// Adds what the text says; returns what is wrong (with the names that exist), or an empty string.
std::string parse_forced(std::string_view text, Forced& out);

class Selector {
 public:
  // `layout` and `nodes`, if given, have `size` places.
  Selector(int size, const std::optional<Layout>& layout, std::optional<Nodes> nodes, const Model& model,
           const Forced& forced, bool reproducible = false);

  // The number of an algorithm, see algorithms(). `bytes` is the collective's measure; `memory`: what the ranks share.
  std::size_t choose(Collective collective, Count bytes, bool commutative, Memory memory = Memory::none) {
    const unsigned width = width_of(bytes);
    const std::uint8_t known =
        chosen_[static_cast<std::size_t>(memory)][commutative][static_cast<std::size_t>(collective)][width];
    return known ? known - 1u : decide(collective, width, commutative, memory);
  }

  const Layout* layout() const { return patterns_ ? patterns_->wires().layout() : nullptr; }
  const Nodes* nodes() const { return nodes_ ? &*nodes_ : nullptr; }
  // Only algorithms that combine in the one fixed order are taken.
  bool reproducible() const { return reproducible_; }
  int size() const { return size_; }
  double time(std::size_t algorithm, Count bytes, bool commutative, Memory memory = Memory::none);
  const Forced& forced() const { return forced_; }
  double processors() const { return model_.processors; }

 private:
  // 0, 1, 2, up to 4, up to 8, …: powers of two are the last of those for which one algorithm is taken.
  static unsigned width_of(Count bytes) {
    const auto n = static_cast<std::uint64_t>(bytes);
    return static_cast<unsigned>(std::bit_width(n + n - (n != 0)));
  }
  bool allowed(const Algorithm& algorithm, const Problem& problem) const;
  std::size_t decide(Collective collective, unsigned width, bool commutative, Memory memory);

  int size_;
  Model model_;
  Forced forced_;
  bool reproducible_;
  std::optional<Nodes> nodes_;
  std::unique_ptr<Patterns> patterns_;                      // null: a switch, or the inside of one node
  std::uint8_t chosen_[memories][2][collectives][65] = {};  // number + 1; 0: not decided yet
};

// The machine of which `cowinfo --collectives` speaks: ranks, and how many of them each node has, in order.
struct Imagined {
  std::string layout;  // as Layout::parse reads it; empty: none
  int ranks = 1;
  int per_node = 1;
};

// The table size -> algorithm -> predicted time for every collective: what `cowinfo --collectives` prints. Returns what
// is wrong in `complaint`.
std::string describe_selection(const Imagined& machine, std::string& complaint);

}  // namespace cow::coll

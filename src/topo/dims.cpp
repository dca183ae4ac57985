#include "topo/dims.hpp"

#include <algorithm>
#include <climits>
#include <cstdint>

namespace cow::topo {
namespace {

std::vector<int> divisors_of(int n) {
  std::vector<int> out;
  for (int d = 1; std::int64_t{d} * d <= n; ++d) {
    if (n % d != 0) continue;
    out.push_back(d);
    if (d != n / d) out.push_back(n / d);
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Whether base^exponent is more than n.
bool power_exceeds(std::int64_t base, int exponent, int n) {
  std::int64_t product = 1;
  for (int i = 0; i < exponent && product <= n; ++i) product *= base;
  return product > n;
}

// The largest number whose `exponent`-th power is at most n.
int root_floor(int n, int exponent) {
  int low = 1, high = n;
  while (low < high) {
    const int middle = low + (high - low + 1) / 2;
    if (power_exceeds(middle, exponent, n))
      high = middle - 1;
    else
      low = middle;
  }
  return low;
}

// Tries factors from the largest to the smallest, smaller ones first, and leaves out what cannot be better than what
// was found: the smallest of k factors of n is at most the k-th root of n.
class Search {
 public:
  Search(int n, int parts) : divisors_(divisors_of(n)), best_(static_cast<std::size_t>(parts)) {
    try_factors(n, parts, n);
  }
  std::vector<int> take() { return std::move(best_); }

 private:
  // `rest` in `parts` factors, none above `most`.
  void try_factors(int rest, int parts, int most) {
    if (parts == 1) {
      if (rest > most) return;
      chosen_.push_back(rest);
      const int spread = chosen_.front() - rest;
      if (spread < spread_) {
        spread_ = spread;
        best_ = chosen_;
      }
      chosen_.pop_back();
      return;
    }
    for (const int factor : divisors_) {
      if (factor > most) break;
      if (rest % factor != 0) continue;
      const int others = rest / factor;
      if (!power_exceeds(factor, parts - 1, others - 1)) continue;  // too small: one of the others would be larger
      const int largest = chosen_.empty() ? factor : chosen_.front();
      if (largest - root_floor(others, parts - 1) >= spread_) break;  // and more so with larger factors
      chosen_.push_back(factor);
      try_factors(others, parts - 1, factor);
      chosen_.pop_back();
    }
  }

  std::vector<int> divisors_;
  std::vector<int> chosen_;
  std::vector<int> best_;
  int spread_ = INT_MAX;
};

}  // namespace

std::vector<int> balanced_factors(int n, int parts) { return parts > 0 ? Search(n, parts).take() : std::vector<int>{}; }

}  // namespace cow::topo

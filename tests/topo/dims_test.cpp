// Balanced factors against an exhaustive search.
#include "topo/dims.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace cow::topo {
namespace {

using Factors = std::vector<int>;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int most = 150;
#else
constexpr int most = 1500;
#endif

// All ways to write n as a product of `parts` factors that do not rise, by brute force.
void list(int n, int parts, Factors& chosen, std::vector<Factors>& out) {
  if (parts == 0) {
    if (n == 1) out.push_back(chosen);
    return;
  }
  for (int f = 1; f <= n; ++f) {
    if (n % f != 0 || (!chosen.empty() && f > chosen.back())) continue;
    chosen.push_back(f);
    list(n / f, parts - 1, chosen, out);
    chosen.pop_back();
  }
}

Factors best_of(int n, int parts) {
  std::vector<Factors> all;
  Factors chosen;
  list(n, parts, chosen, all);
  return *std::min_element(all.begin(), all.end(), [](const Factors& a, const Factors& b) {
    const int one = a.front() - a.back(), other = b.front() - b.back();
    return one != other ? one < other : a < b;
  });
}

TEST(Dims, AreTheMostBalancedThereAre) {
  for (int parts = 1; parts <= 5; ++parts)
    for (int n = 1; n <= (parts <= 3 ? most : most / 3); ++n)
      ASSERT_EQ(balanced_factors(n, parts), best_of(n, parts)) << n << " in " << parts;
}

TEST(Dims, OfManySizes) {
  EXPECT_EQ(balanced_factors(720, 3), (Factors{10, 9, 8}));
  EXPECT_EQ(balanced_factors(7, 3), (Factors{7, 1, 1}));
  EXPECT_EQ(balanced_factors(1, 4), (Factors{1, 1, 1, 1}));
  EXPECT_EQ(balanced_factors(4096, 3), (Factors{16, 16, 16}));
  EXPECT_EQ(balanced_factors(6, 0), Factors{});
}

// Numbers with the most divisors, large primes, and more dimensions than factors: soon answered.
TEST(Dims, LargeNumbers) {
  for (const int n : {735134400, 1102701600, 2147483647, 1 << 30, 223092870, 1968 * 1976, 46340 * 46339})
    for (const int parts : {1, 2, 3, 4, 6, 8, 12, 20, 31}) {
      const Factors factors = balanced_factors(n, parts);
      ASSERT_EQ(factors.size(), static_cast<std::size_t>(parts));
      std::int64_t product = 1;
      for (const int f : factors) product *= f;
      EXPECT_EQ(product, n);
      EXPECT_TRUE(std::is_sorted(factors.rbegin(), factors.rend()));
    }
}

}  // namespace
}  // namespace cow::topo

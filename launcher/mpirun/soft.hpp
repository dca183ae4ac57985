// -soft: counts of ranks that the user would take, of which the largest that can be placed is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cow::launch {

// The counts from 1 to `most` that "a", "a:b" or "a:b:c", separated by commas, allow, in rising order. Returns what is
// wrong with the text, or nothing; that no count is left is wrong, too.
std::string parse_soft(std::string_view text, std::uint32_t most, std::vector<std::uint32_t>& out);

struct RankRequest {
  std::uint32_t ranks = 0;             // at most
  std::vector<std::uint32_t> allowed;  // in rising order; empty: `ranks` alone
};

// The counts of all programs, when there are `slots` (0: without limit): earlier ones take what they can, as long as each
// later one can have its least.
std::vector<std::uint32_t> choose_counts(const std::vector<RankRequest>& requests, std::uint64_t slots);

}  // namespace cow::launch

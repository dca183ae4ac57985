#include "launcher/mpirun/soft.hpp"

#include <algorithm>
#include <charconv>

namespace cow::launch {
namespace {

using std::string;
using std::string_view;

string_view next_piece(string_view& text, char separator) {
  const size_t end = std::min(text.find(separator), text.size());
  const string_view piece = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return piece;
}

bool parse_number(string_view text, std::int64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

// A Fortran triplet. Values outside of 1 to `most` are skipped and not counted through, since bounds may be anything.
bool add_triplet(string_view text, std::int64_t most, std::vector<std::uint32_t>& out) {
  std::int64_t first, last, stride = 1;
  if (text.empty() || text.ends_with(':') || std::count(text.begin(), text.end(), ':') > 2) return false;
  if (!parse_number(next_piece(text, ':'), first)) return false;
  last = first;
  if (!text.empty() && !parse_number(next_piece(text, ':'), last)) return false;
  if (!text.empty() && !parse_number(text, stride)) return false;
  constexpr std::int64_t bound = std::int64_t{1} << 40;
  if (stride == 0 || std::max({std::abs(first), std::abs(last), std::abs(stride)}) > bound) return false;
  if (last != first && (last > first) != (stride > 0)) return false;  // as the standard demands
  if (stride < 0) {
    const std::int64_t steps = (first - last) / -stride;
    std::swap(first, last);
    first = last + stride * steps;
    stride = -stride;
  }
  if (first < 1) first += (1 - first + stride - 1) / stride * stride;
  for (std::int64_t count = first; count <= std::min(last, most); count += stride) {
    out.push_back(static_cast<std::uint32_t>(count));
  }
  return true;
}

}  // namespace

string parse_soft(string_view text, std::uint32_t most, std::vector<std::uint32_t>& out) {
  const string spelled = "-soft " + string(text) + ": ";
  out.clear();
  do {
    if (!add_triplet(next_piece(text, ','), most, out))
      return spelled + "expected counts, as a, a:b or a:b:c, with commas";
  } while (!text.empty());
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out.empty() ? spelled + "no count from 1 to " + std::to_string(most) + " is among these" : string();
}

std::vector<std::uint32_t> choose_counts(const std::vector<RankRequest>& requests, std::uint64_t slots) {
  const auto least = [](const RankRequest& r) { return r.allowed.empty() ? r.ranks : r.allowed.front(); };
  std::uint64_t needed = 0;
  for (const RankRequest& request : requests) needed += least(request);
  std::uint64_t spare = slots > needed ? slots - needed : 0;
  std::vector<std::uint32_t> out;
  for (const RankRequest& request : requests) {
    std::uint32_t chosen = least(request);
    for (const std::uint32_t count : request.allowed) {
      if (slots == 0 || count <= least(request) + spare) chosen = count;
    }
    spare -= std::min<std::uint64_t>(spare, chosen - least(request));
    out.push_back(chosen);
  }
  return out;
}

}  // namespace cow::launch

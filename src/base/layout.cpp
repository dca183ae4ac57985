#include "base/layout.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace cow {
namespace {

using std::string;
using std::string_view;

constexpr long long most_places = 1 << 26;

struct KindName {
  Layout::Kind kind;
  string_view name;
};
constexpr KindName kind_names[] = {{Layout::Kind::network_switch, "switch"},
                                   {Layout::Kind::ring, "ring"},
                                   {Layout::Kind::mesh, "mesh"},
                                   {Layout::Kind::torus, "torus"},
                                   {Layout::Kind::hypercube, "hypercube"}};

// "4x4x2" as numbers; empty when malformed.
std::vector<int> read_extents(string_view text, int least) {
  std::vector<int> out;
  while (true) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number < least) return {};
    out.push_back(number);
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    if (text.empty()) return out;
    if (text.front() != 'x') return {};
    text.remove_prefix(1);
  }
}

string join(const std::vector<int>& numbers) {
  string out;
  for (int n : numbers) out += (out.empty() ? "" : "x") + std::to_string(n);
  return out;
}

// So many factors of n, as equal as they come, the largest first.
std::vector<int> even_factors(int n, int parts) {
  std::vector<int> out(static_cast<size_t>(parts), 1);
  std::vector<int> primes;
  for (int f = 2; n > 1; ++f)
    for (; n % f == 0; n /= f) primes.push_back(f);
  for (auto prime = primes.rbegin(); prime != primes.rend(); ++prime)
    *std::min_element(out.begin(), out.end()) *= *prime;
  std::sort(out.rbegin(), out.rend());
  return out;
}

int log2_floor(int n) {
  int d = 0;
  while (n >>= 1) ++d;
  return d;
}

}  // namespace

Layout::Layout(Kind kind, std::vector<int> extents, int size)
    : kind_(kind), size_(size), extents_(std::move(extents)), strides_(extents_.size()) {
  int stride = 1;
  for (size_t d = extents_.size(); d-- > 0; stride *= extents_[d]) strides_[d] = stride;
}

Layout Layout::one_switch(int places) { return Layout(Kind::network_switch, {}, places); }

string Layout::parse(string_view text, Layout& out) {
  const size_t colon = text.find(':');
  const string_view word = text.substr(0, colon);
  const auto* found =
      std::find_if(std::begin(kind_names), std::end(kind_names), [&](const KindName& k) { return k.name == word; });
  const string shown(text);
  if (found == std::end(kind_names))
    return "layout \"" + shown + "\": expected switch, ring:N, mesh:AxB, torus:AxB or hypercube:D";
  if (colon == string_view::npos) {
    if (found->kind != Kind::network_switch) return "layout \"" + shown + "\": its size is missing";
    out = Layout();
    return {};
  }
  std::vector<int> extents = read_extents(text.substr(colon + 1), found->kind == Kind::hypercube ? 0 : 1);
  if (extents.empty()) return "layout \"" + shown + "\": expected a number after the colon, or several joined by x";
  const bool one_number = found->kind != Kind::mesh && found->kind != Kind::torus;
  if (one_number && extents.size() != 1) return "layout \"" + shown + "\": expected one number";
  if (found->kind == Kind::hypercube) {
    if (extents[0] > 26) return "layout \"" + shown + "\": at most 26 dimensions";
    extents.assign(static_cast<size_t>(extents[0]), 2);
  }
  long long size = 1;
  for (int extent : extents)
    if ((size *= extent) > most_places) return "layout \"" + shown + "\": too large";
  if (found->kind == Kind::network_switch) extents.clear();
  out = Layout(found->kind, std::move(extents), static_cast<int>(size));
  return {};
}

string Layout::fit(int ranks) {
  if (kind_ == Kind::network_switch && size_ == 0) *this = one_switch(ranks);
  if (size_ == ranks) return {};
  string would;
  switch (kind_) {
    case Kind::network_switch: would = "switch"; break;
    case Kind::ring: would = "ring:" + std::to_string(ranks); break;
    case Kind::mesh:
    case Kind::torus:
      would = (kind_ == Kind::mesh ? "mesh:" : "torus:") + join(even_factors(ranks, dimensions()));
      break;
    case Kind::hypercube: {
      const int below = log2_floor(ranks);
      would = "hypercube:" + std::to_string(below);
      if (1 << below != ranks)
        would += " for " + std::to_string(1 << below) + " ranks or hypercube:" + std::to_string(below + 1) + " for " +
                 std::to_string(2 << below) + " ranks";
    }
  }
  return "layout " + name() + " has " + std::to_string(size_) + " places for " + std::to_string(ranks) +
         " ranks; it would fit: " + would;
}

string Layout::name() const {
  switch (kind_) {
    case Kind::network_switch: return "switch" + (size_ ? ":" + std::to_string(size_) : string());
    case Kind::ring: return "ring:" + std::to_string(size_);
    case Kind::mesh: return "mesh:" + join(extents_);
    case Kind::torus: return "torus:" + join(extents_);
    case Kind::hypercube: return "hypercube:" + std::to_string(dimensions());
  }
  return {};
}

int Layout::links() const {
  if (kind_ == Kind::network_switch) return 2 * size_;
  return size_ * dimensions() * (kind_ == Kind::hypercube ? 1 : 2);
}

string Layout::link_name(int link) const {
  if (kind_ == Kind::network_switch) return std::to_string(link / 2) + (link % 2 == 0 ? " to switch" : " from switch");
  const int per_place = kind_ == Kind::hypercube ? dimensions() : 2 * dimensions();
  const int place = link / per_place;
  const int dimension = kind_ == Kind::hypercube ? link % per_place : link % per_place / 2;
  const int direction = kind_ == Kind::hypercube || link % 2 == 0 ? 1 : -1;
  return std::to_string(place) + " to " + std::to_string(neighbour(place, dimension, direction));
}

int Layout::way(int from, int to, int dimension) const {
  const int direct = to - from;
  if (!wraps()) return direct;
  const int n = extent(dimension);
  const int up = ((direct % n) + n) % n;
  return 2 * up <= n ? up : up - n;
}

int Layout::neighbour(int place, int dimension, int direction) const {
  const int n = extent(dimension);
  const int here = coordinate(place, dimension);
  int there = here + direction;
  if (there < 0 || there >= n) there = wraps() ? (there + n) % n : here;
  return place + (there - here) * stride(dimension);
}

int Layout::hops(int from, int to) const {
  if (from == to) return 0;
  if (kind_ == Kind::network_switch) return 2;
  int sum = 0;
  for (int d = 0; d < dimensions(); ++d) sum += std::abs(way(coordinate(from, d), coordinate(to, d), d));
  return sum;
}

}  // namespace cow

// Datatypes as the standard defines them, written without a look at the engine: a list of all basic elements with
// their displacements, and the markers of the bounds. Slow, and plain enough to be believed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace reference {

struct Element {
  std::int64_t displacement;
  int bytes;
};

struct Type {
  std::vector<Element> elements;         // the type map, in order
  std::vector<std::int64_t> lb_markers;  // displacements of the conceptual types of section 5.1.6
  std::vector<std::int64_t> ub_markers;
  int alignment = 1;

  std::int64_t size() const {
    std::int64_t sum = 0;
    for (const Element& e : elements) sum += e.bytes;
    return sum;
  }
  std::int64_t true_lb() const {
    std::int64_t low = elements.empty() ? 0 : INT64_MAX;
    for (const Element& e : elements) low = std::min(low, e.displacement);
    return low;
  }
  std::int64_t true_ub() const {
    std::int64_t high = elements.empty() ? 0 : INT64_MIN;
    for (const Element& e : elements) high = std::max(high, e.displacement + e.bytes);
    return high;
  }
  std::int64_t lb() const {
    return lb_markers.empty() ? true_lb() : *std::min_element(lb_markers.begin(), lb_markers.end());
  }
  std::int64_t extent() const {
    if (!ub_markers.empty()) return *std::max_element(ub_markers.begin(), ub_markers.end()) - lb();
    const std::int64_t span = true_ub() - lb();
    return (span + alignment - 1) / alignment * alignment;
  }

  // Adds a copy of another type.
  void add(const Type& other, std::int64_t displacement) {
    for (const Element& e : other.elements) elements.push_back({e.displacement + displacement, e.bytes});
    for (const std::int64_t m : other.lb_markers) lb_markers.push_back(m + displacement);
    for (const std::int64_t m : other.ub_markers) ub_markers.push_back(m + displacement);
    alignment = std::max(alignment, other.alignment);
  }
  void add_run(const Type& other, std::int64_t displacement, std::int64_t count) {
    const std::int64_t step = other.extent();
    for (std::int64_t i = 0; i < count; ++i) add(other, displacement + i * step);
  }
};

inline Type basic(int bytes, int alignment) {
  Type type;
  type.elements = {{0, bytes}};
  type.alignment = alignment;
  return type;
}

inline Type resized(const Type& old, std::int64_t lb, std::int64_t extent) {
  Type type = old;
  type.lb_markers = {lb};
  type.ub_markers = {lb + extent};
  return type;
}

// An array of which `mine(index)` says which elements belong to the type; the dimensions are given in the order of the
// arguments, and `c_order` says that the last one varies fastest.
template <class Mine>
Type of_array(const Type& old, const std::vector<std::int64_t>& sizes, bool c_order, Mine mine) {
  Type type;
  std::int64_t total = 1;
  for (const std::int64_t size : sizes) total *= size;
  std::vector<std::int64_t> index(sizes.size());
  for (std::int64_t place = 0; place < total; ++place) {
    std::int64_t rest = place;
    for (std::size_t n = 0; n < sizes.size(); ++n) {
      const std::size_t dimension = c_order ? sizes.size() - 1 - n : n;
      index[dimension] = rest % sizes[dimension];
      rest /= sizes[dimension];
    }
    if (mine(index)) type.add(old, place * old.extent());
  }
  type.alignment = old.alignment;
  type.lb_markers = {0};
  type.ub_markers = {total * old.extent()};
  return type;
}

// Addresses of all bytes of the packed stream of `count` elements at `base`.
inline std::vector<std::int64_t> stream(const Type& type, std::int64_t count) {
  std::vector<std::int64_t> bytes;
  const std::int64_t extent = type.extent();
  for (std::int64_t i = 0; i < count; ++i)
    for (const Element& e : type.elements)
      for (int b = 0; b < e.bytes; ++b) bytes.push_back(i * extent + e.displacement + b);
  return bytes;
}

}  // namespace reference

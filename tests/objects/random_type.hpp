// Random datatypes, each built twice: by the library, and as a list of elements.
#pragma once

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "objects/constructors.hpp"
#include "type_reference.hpp"

namespace cow::test {

// A datatype of the library with its reference and a text that tells how it was made.
struct Made {
  Datatype* type = nullptr;  // one reference
  reference::Type model;
  std::string text;

  Made() = default;
  Made(Made&& other) noexcept
      : type(std::exchange(other.type, nullptr)), model(std::move(other.model)), text(std::move(other.text)) {}
  Made& operator=(Made&& other) noexcept {
    std::swap(type, other.type);
    std::swap(model, other.model);
    std::swap(text, other.text);
    return *this;
  }
  ~Made() {
    if (type) release(*type);
  }
};

class TypeMaker {
 public:
  explicit TypeMaker(std::uint64_t seed) : random_(seed) {}

  // A tree of at most `depth` constructors above each basic type.
  Made make(int depth);

  std::int64_t number(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(high - low + 1));
  }

 private:
  Made leaf();
  Made contiguous(Made old);
  Made vector(Made old);
  Made hvector(Made old);
  Made indexed(Made old);
  Made hindexed(Made old);
  Made indexed_block(Made old);
  Made hindexed_block(Made old);
  Made structure(Made old, int depth);
  Made subarray(Made old);
  Made darray(Made old);
  Made resized(Made old);
  Made dup(Made old);

  // Zero now and then.
  std::int64_t amount(std::int64_t most) { return number(0, 14) == 0 ? 0 : number(1, most); }
  std::vector<MPI_Count> amounts(std::size_t length, std::int64_t most) {
    std::vector<MPI_Count> all(length);
    for (MPI_Count& value : all) value = amount(most);
    return all;
  }
  std::vector<MPI_Count> numbers(std::size_t length, std::int64_t low, std::int64_t high) {
    std::vector<MPI_Count> all(length);
    for (MPI_Count& value : all) value = number(low, high);
    return all;
  }

  std::mt19937_64 random_;
};

}  // namespace cow::test

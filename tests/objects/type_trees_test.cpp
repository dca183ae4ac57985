// Random datatypes against the standard's definition: bounds, packing and unpacking in random pieces, memory runs,
// counting of elements, external32. COW_TEST_TREES sets how many; a failure prints how the type was made.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "objects/predefined.hpp"
#include "objects/typemap.hpp"
#include "random_type.hpp"

namespace cow::test {
namespace {

using Bytes = std::vector<unsigned char>;

// Memory in which the elements of a type lie, with room for those below the buffer's address.
struct Memory {
  Bytes bytes;
  std::int64_t origin = 0;  // where the buffer's address is in it
  void* buffer() { return bytes.data() + origin; }
};

Memory memory_for(const std::vector<std::int64_t>& stream) {
  std::int64_t low = 0, high = 0;
  for (const std::int64_t at : stream) {
    low = std::min(low, at);
    high = std::max(high, at + 1);
  }
  Memory memory;
  memory.origin = -low;
  memory.bytes.resize(high - low);
  return memory;
}

void check_bounds(const Made& made) {
  const reference::Type& model = made.model;
  ASSERT_EQ(made.type->size, model.size());
  ASSERT_EQ(made.type->lb, model.lb());
  ASSERT_EQ(made.type->extent, model.extent());
  ASSERT_EQ(made.type->true_lb, model.true_lb());
  ASSERT_EQ(made.type->true_extent, model.true_ub() - model.true_lb());
}

bool one_run(const std::vector<std::int64_t>& stream) {
  for (std::size_t i = 1; i < stream.size(); ++i)
    if (stream[i] != stream[i - 1] + 1) return false;
  return true;
}

// Cuts 0 … total into pieces, most of them short.
std::vector<std::int64_t> cuts(TypeMaker& random, std::int64_t total) {
  std::vector<std::int64_t> at = {0};
  const std::int64_t longest = random.number(0, 3) == 0 ? total : std::min<std::int64_t>(total, 40);
  while (at.back() < total)
    at.push_back(std::min(total, at.back() + random.number(1, std::max<std::int64_t>(longest, 1))));
  return at;
}

class Checker {
 public:
  Checker(TypeMaker& random, const Made& made, MPI_Count count)
      : random_(random), made_(made), count_(count), stream_(reference::stream(made.model, count)),
        source_(memory_for(stream_)) {
    for (unsigned char& byte : source_.bytes) byte = static_cast<unsigned char>(random_.number(0, 255));
    for (const std::int64_t at : stream_) packed_.push_back(source_.bytes[source_.origin + at]);
  }

  void run() {
    const auto total = static_cast<MPI_Count>(packed_.size());
    Bytes out(packed_.size());
    ASSERT_EQ(pack(*made_.type, source_.buffer(), count_, 0, out.data(), total + 7), total);
    ASSERT_EQ(out, packed_) << "packed at once";
    check_pieces();
    check_runs();
    check_elements();
  }

 private:
  void check_pieces() {
    std::vector<std::int64_t> at = cuts(random_, packed_.size());
    std::vector<std::size_t> order(at.size() - 1);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), std::mt19937_64(random_.number(0, INT32_MAX)));
    Bytes out(packed_.size());
    Memory target = memory_for(stream_), expected = memory_for(stream_);
    for (const std::size_t piece : order) {
      const MPI_Count offset = at[piece], bytes = at[piece + 1] - offset;
      ASSERT_EQ(pack(*made_.type, source_.buffer(), count_, offset, out.data() + offset, bytes), bytes);
      ASSERT_EQ(unpack(*made_.type, target.buffer(), count_, offset, packed_.data() + offset, bytes), bytes);
    }
    ASSERT_EQ(out, packed_) << "packed in pieces";
    for (std::size_t i = 0; i < stream_.size(); ++i) expected.bytes[expected.origin + stream_[i]] = packed_[i];
    ASSERT_EQ(target.bytes, expected.bytes) << "unpacked in pieces";
  }

  void check_runs() {
    Bytes gathered;
    MPI_Count offset = random_.number(0, packed_.size());
    const MPI_Count start = offset;
    while (offset < static_cast<MPI_Count>(packed_.size())) {
      MemoryRun runs[5];
      MPI_Count covered;
      const int filled = memory_runs(*made_.type, source_.buffer(), count_, offset, packed_.size(), runs,
                                     static_cast<int>(random_.number(1, 5)), &covered);
      ASSERT_GT(filled, 0);
      for (int i = 0; i < filled; ++i) {
        const auto* from = reinterpret_cast<const unsigned char*>(runs[i].address);
        gathered.insert(gathered.end(), from, from + runs[i].bytes);
      }
      offset += covered;
      ASSERT_EQ(start + static_cast<MPI_Count>(gathered.size()), offset);
    }
    ASSERT_EQ(gathered, Bytes(packed_.begin() + start, packed_.end())) << "memory runs";
  }

  void check_elements() {
    const MPI_Count bytes = random_.number(0, packed_.size());
    MPI_Count elements = 0, rest = bytes;
    for (MPI_Count i = 0; rest > 0 && i < count_; ++i)
      for (std::size_t e = 0; rest > 0 && e < made_.model.elements.size(); ++e) {
        rest -= made_.model.elements[e].bytes;
        ++elements;
      }
    ASSERT_EQ(elements_in(*made_.type, bytes), rest == 0 ? elements : MPI_UNDEFINED) << bytes << " bytes";
    MPI_Count back = -1;
    if (rest == 0) {
      ASSERT_FALSE(bytes_of_elements(*made_.type, elements, back));
      ASSERT_EQ(back, bytes);
    }
  }

  TypeMaker& random_;
  const Made& made_;
  MPI_Count count_;
  std::vector<std::int64_t> stream_;
  Memory source_;
  Bytes packed_;
};

void check_tree(std::uint64_t seed) {
  TypeMaker random(seed);
  Made made = random.make(static_cast<int>(random.number(1, 5)));
  SCOPED_TRACE("seed " + std::to_string(seed) + ": " + made.text);
  check_bounds(made);
  commit(*made.type);
  EXPECT_EQ(made.type->contiguous, one_run(reference::stream(made.model, 3)));
  EXPECT_EQ(made.type->dense, one_run(reference::stream(made.model, 1)));
  Checker(random, made, random.number(0, 3)).run();
}

TEST(TypeTrees, AreWhatTheStandardSays) {
  register_predefined();
  const char* wanted = getenv("COW_TEST_TREES");
  const std::uint64_t trees = wanted ? strtoull(wanted, nullptr, 10) : 100'000;
  const char* first = getenv("TESTS_SEED");
  const std::uint64_t seed = first ? strtoull(first, nullptr, 10) : 1;
  for (std::uint64_t i = 0; i < trees && !testing::Test::HasFailure(); ++i) check_tree(seed + i);
}

}  // namespace
}  // namespace cow::test

// What the random collectives of mixed*.cpp have in common: shapes of data, buffers, and calls in one of three forms.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>
#include <string>

#include "coll/core/collective.hpp"
#include "support/ranks.hpp"

namespace mixed {

using cow::coll::Collective;
using Ints = std::vector<int>;

constexpr int untouched = -1234567;

// What rank r of a communicator contributes to collective `job`: number i.
inline int value(int job, int r, int i) { return job * 7919 + r * 104729 + i * 31 + 5; }

// The same for reductions: all bits differ, and bit 16 is set, so that no function that is composed forgets its argument.
inline int operand(int value) { return static_cast<int>(static_cast<unsigned>(value) * 2654435761u | 0x10000); }

// Some ints of a stretch of memory, in any order, as a datatype; or MPI_INT.
class Shape {
 public:
  Shape() = default;
  explicit Shape(ranks::Random& random) {
    if (ranks::pick(random, 0, 2) == 0) return;
    extent_ = ranks::pick(random, 1, 6);
    offsets_.resize(static_cast<std::size_t>(extent_));
    std::iota(offsets_.begin(), offsets_.end(), 0);
    std::shuffle(offsets_.begin(), offsets_.end(), random);
    offsets_.resize(static_cast<std::size_t>(ranks::pick(random, 1, extent_)));
    MPI_Datatype some;
    EXPECT_MPI_OK(MPI_Type_create_indexed_block(ints(), 1, offsets_.data(), MPI_INT, &some));
    EXPECT_MPI_OK(MPI_Type_create_resized(some, 0, extent_ * static_cast<int>(sizeof(int)), &type_));
    EXPECT_MPI_OK(MPI_Type_commit(&type_));
    EXPECT_MPI_OK(MPI_Type_free(&some));
  }
  Shape(const Shape&) = delete;
  Shape& operator=(const Shape&) = delete;
  ~Shape() {
    if (type_ != MPI_INT) MPI_Type_free(&type_);
  }
  MPI_Datatype type() const { return type_; }
  int ints() const { return static_cast<int>(offsets_.size()); }
  int extent() const { return extent_; }
  std::size_t place(int i) const {
    return static_cast<std::size_t>(i / ints() * extent_ + offsets_[static_cast<std::size_t>(i % ints())]);
  }

 private:
  MPI_Datatype type_ = MPI_INT;
  int extent_ = 1;
  Ints offsets_{0};
};

// A buffer of blocks of ints: one after the other and all of one length and shape, or anywhere, in any order, with gaps
// between them, and each of a shape of its own. The number of ints of a block is a multiple of its shape's.
class Buffer {
 public:
  Buffer(const Shape& shape, int ints, int blocks)
      : Buffer(Shapes(static_cast<std::size_t>(blocks), &shape), Ints(static_cast<std::size_t>(blocks), ints),
               nullptr) {}
  Buffer(const Shape& shape, const Ints& ints, ranks::Random* random)
      : Buffer(Shapes(ints.size(), &shape), ints, random) {}
  using Shapes = std::vector<const Shape*>;
  Buffer(const Shapes& shapes, const Ints& ints, ranks::Random* random) : shapes_(shapes), starts_(ints.size()) {
    Ints order(ints.size());
    std::iota(order.begin(), order.end(), 0);
    if (random) std::shuffle(order.begin(), order.end(), *random);
    int end = 0;
    for (const int i : order) {
      const auto block = static_cast<std::size_t>(i);
      const Shape& shape = *shapes[block];
      starts_[block] = end += random ? ranks::pick(*random, 0, 2) * shape.extent() : 0;
      end += ints[block] / shape.ints() * shape.extent();
    }
    for (std::size_t b = 0; b < ints.size(); ++b) {
      counts.push_back(ints[b] / shapes[b]->ints());
      displs.push_back(starts_[b] / shapes[b]->extent());
      bytes.push_back(starts_[b] * static_cast<int>(sizeof(int)));
      types.push_back(shapes[b]->type());
    }
    memory.assign(static_cast<std::size_t>(end), untouched);
  }
  int count() const { return counts.empty() ? 0 : counts[0]; }
  void fill(int block, const std::function<int(int)>& number) {
    const auto b = static_cast<std::size_t>(block);
    for (int i = 0; i < counts[b] * shapes_[b]->ints(); ++i)
      memory[static_cast<std::size_t>(starts_[b]) + shapes_[b]->place(i)] = number(i);
  }
  void* data() { return memory.data(); }
  int* block(int i) { return memory.data() + starts_[static_cast<std::size_t>(i)]; }

  Ints counts, displs;  // in elements, where all blocks have one shape
  Ints bytes;           // displacements
  std::vector<MPI_Datatype> types;
  Ints memory;

 private:
  Shapes shapes_;
  Ints starts_;
};

// One collective under way at this rank.
struct Job {
  std::string name;
  std::unique_ptr<Buffer> out, in, expected;
  std::size_t looked_at = ~std::size_t{0};  // of the ints that arrive
  MPI_Request request = MPI_REQUEST_NULL;
  bool persistent = false;
  void check() {
    for (Ints* ints : {&in->memory, &expected->memory}) ints->resize(std::min(ints->size(), looked_at));
    EXPECT_EQ(in->memory, expected->memory) << name;
  }
};

enum class Form { blocking, nonblocking, persistent };

struct Setting {
  MPI_Comm comm;
  int id, me, n, root;
  bool in_place;
  Form form;
};

// Makes the call in the form asked for.
template <class Blocking, class Nonblocking, class Persistent>
void call(Job& job, Form form, Blocking blocking, Nonblocking nonblocking, Persistent persistent) {
  switch (form) {
    case Form::blocking: EXPECT_EQ(blocking(), MPI_SUCCESS); return;
    case Form::nonblocking: EXPECT_EQ(nonblocking(&job.request), MPI_SUCCESS); return;
    case Form::persistent:
      EXPECT_EQ(persistent(&job.request), MPI_SUCCESS);
      EXPECT_EQ(MPI_Start(&job.request), MPI_SUCCESS);
      job.persistent = true;
  }
}

// Buffers of so many blocks, what arrives set up, and what must stand there.
inline void make_buffers(Job& job, const Shape& out, const Shape& in, int ints, int out_blocks, int in_blocks) {
  job.out = std::make_unique<Buffer>(out, ints, out_blocks);
  job.in = std::make_unique<Buffer>(in, ints, in_blocks);
  job.expected = std::make_unique<Buffer>(in, ints, in_blocks);
}

// Reductions: mixed_sums.cpp. `ints` of data at each rank, or for each rank where the result is shared out.
enum class Operator { exclusive_or, by_user, in_order };
MPI_Op handle_of(Operator op, const Shape& element);  // element: what it will be used with
// Of n numbers, in order.
int fold(Operator op, int n, const std::function<int(int)>& number);
void begin_sum(Job& job, const Setting& s, Collective which, const Shape& shape, int ints, Operator op);

// Blocks given one by one, whose ints are multiples of `multiple`: mixed_given.cpp.
void begin_given(Job& job, const Setting& s, Collective which, const std::function<const Shape&()>& shape, int multiple,
                 ranks::Random& own);

}  // namespace mixed

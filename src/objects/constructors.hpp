// Making datatypes. Each maker records the arguments for MPI_Type_get_contents; `large`: the _c form was called.
// The result has one reference and no handle. Arguments are checked here, since all forms of the calls come through.
#pragma once

#include <span>
#include <vector>

#include "objects/datatype.hpp"

namespace cow {

using CountSpan = std::span<const MPI_Count>;

// How a type was made: what MPI_Type_get_envelope and MPI_Type_get_contents tell.
struct TypeContents {
  int combiner = MPI_COMBINER_NAMED;
  std::vector<int> integers;
  std::vector<MPI_Aint> addresses;
  std::vector<MPI_Count> counts;
  std::vector<Datatype*> types;  // referenced

  TypeContents() = default;
  TypeContents(const TypeContents&) = delete;
  TypeContents& operator=(const TypeContents&) = delete;
  ~TypeContents();
};

Error make_contiguous(MPI_Count count, Datatype& old, bool large, Datatype*& out);
Error make_vector(MPI_Count count, MPI_Count block, MPI_Count stride, Datatype& old, bool large, Datatype*& out);
Error make_hvector(MPI_Count count, MPI_Count block, MPI_Aint stride, Datatype& old, bool large, Datatype*& out);
Error make_indexed(CountSpan blocks, CountSpan displacements, Datatype& old, bool large, Datatype*& out);
Error make_hindexed(CountSpan blocks, CountSpan displacements, Datatype& old, bool large, Datatype*& out);
Error make_indexed_block(MPI_Count block, CountSpan displacements, Datatype& old, bool large, Datatype*& out);
Error make_hindexed_block(MPI_Count block, CountSpan displacements, Datatype& old, bool large, Datatype*& out);
Error make_struct(CountSpan blocks, CountSpan displacements, std::span<Datatype* const> types, bool large,
                  Datatype*& out);
Error make_subarray(CountSpan sizes, CountSpan subsizes, CountSpan starts, int order, Datatype& old, bool large,
                    Datatype*& out);
struct DarrayArgs {
  int size, rank;
  CountSpan global_sizes;
  std::span<const int> distributions, arguments, process_sizes;
  int order;
};
Error make_darray(const DarrayArgs& args, Datatype& old, bool large, Datatype*& out);
Error make_resized(MPI_Aint lb, MPI_Aint extent, Datatype& old, bool large, Datatype*& out);
// Attributes are not copied: the caller does that.
Error make_dup(Datatype& old, Datatype*& out);

// MPI_Type_get_value_index: `out` is null when there is no such pair. Predefined; lives for ever.
Datatype* find_value_index(const Datatype& value, const Datatype& index);

// MPI_Type_create_f90_*: the same object for the same arguments, predefined in all but name; lives for ever.
Error find_f90_real(int precision, int range, Datatype*& out);
Error find_f90_complex(int precision, int range, Datatype*& out);
Error find_f90_integer(int range, Datatype*& out);

// MPI_Type_match_size.
Error match_size(int type_class, int bytes, Datatype*& out);

// ---- for the files that make types ----

// Collects the arguments of a maker in the order of the standard's tables.
class ContentsBuilder {
 public:
  ContentsBuilder(int combiner, bool large) : contents_(std::make_shared<TypeContents>()), large_(large) {
    contents_->combiner = combiner;
  }
  ContentsBuilder& integer(int value) {
    contents_->integers.push_back(value);
    return *this;
  }
  ContentsBuilder& count(MPI_Count value) {
    if (large_)
      contents_->counts.push_back(value);
    else
      contents_->integers.push_back(static_cast<int>(value));
    return *this;
  }
  ContentsBuilder& displacement(MPI_Count value) {
    if (large_)
      contents_->counts.push_back(value);
    else
      contents_->addresses.push_back(value);
    return *this;
  }
  ContentsBuilder& counts(CountSpan values) {
    for (const MPI_Count value : values) count(value);
    return *this;
  }
  ContentsBuilder& displacements(CountSpan values) {
    for (const MPI_Count value : values) displacement(value);
    return *this;
  }
  ContentsBuilder& integers(std::span<const int> values) {
    contents_->integers.insert(contents_->integers.end(), values.begin(), values.end());
    return *this;
  }
  ContentsBuilder& type(Datatype& value) {
    retain(value);
    contents_->types.push_back(&value);
    return *this;
  }
  std::shared_ptr<const TypeContents> done() { return std::move(contents_); }

 private:
  std::shared_ptr<TypeContents> contents_;
  bool large_;
};

// A run of `count` copies of a type, its extent apart, repeated at each of some displacements (bytes).
struct TypePart {
  MPI_Aint displacement;
  MPI_Count count;
  Datatype* type;
};
Error make_of_parts(std::span<const TypePart> parts, ContentsBuilder& contents, Datatype*& out);
// From a map and bounds that are given.
Datatype* make_bounded(std::shared_ptr<const TypeMap> map, MPI_Aint lb, MPI_Aint extent, int alignment,
                       ContentsBuilder& contents);

}  // namespace cow

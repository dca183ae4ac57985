// The loops of the predefined operations. Each function picks the loop for a type; null: the standard does not allow
// the operation on it.
#pragma once

#include "objects/op.hpp"

namespace cow::op {

Op::Function sum(const Datatype& type);
Op::Function product(const Datatype& type);
Op::Function minimum(const Datatype& type);
Op::Function maximum(const Datatype& type);
Op::Function bit_and(const Datatype& type);
Op::Function bit_or(const Datatype& type);
Op::Function bit_xor(const Datatype& type);
Op::Function logical_and(const Datatype& type);
Op::Function logical_or(const Datatype& type);
Op::Function logical_xor(const Datatype& type);
Op::Function minimum_location(const Datatype& type);  // op_pairs.cpp
Op::Function maximum_location(const Datatype& type);
Op::Function replace(const Datatype& type);
Op::Function nothing(const Datatype& type);

}  // namespace cow::op

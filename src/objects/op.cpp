#include "objects/op.hpp"

#include <algorithm>
#include <limits>

#include "base/address.hpp"
#include "objects/last_reference.hpp"
#include "objects/op_functions.hpp"
#include "objects/predefined.hpp"
#include "objects/strict.hpp"

namespace cow {
namespace {

struct Row {
  MPI_Op handle;
  const char* name;
  Op::Function (*select)(const Datatype&);
  const char* takes;
};

constexpr const char* numbers = "integers, floating-point and complex numbers";
constexpr const char* ordered = "integers and floating-point numbers";
constexpr const char* truth = "C integers and logical types";
constexpr const char* bits = "integers and MPI_BYTE";
constexpr const char* pairs = "pairs of a value and an index (MPI_DOUBLE_INT, …)";

// For accumulations into windows alone.
bool of_windows(const Op& op) { return op.select == op::replace || op.select == op::nothing; }

const Row* rows(std::size_t& count) {
  static const Row all[] = {
      {MPI_SUM, "MPI_SUM", op::sum, numbers},
      {MPI_PROD, "MPI_PROD", op::product, numbers},
      {MPI_MIN, "MPI_MIN", op::minimum, ordered},
      {MPI_MAX, "MPI_MAX", op::maximum, ordered},
      {MPI_LAND, "MPI_LAND", op::logical_and, truth},
      {MPI_LOR, "MPI_LOR", op::logical_or, truth},
      {MPI_LXOR, "MPI_LXOR", op::logical_xor, truth},
      {MPI_BAND, "MPI_BAND", op::bit_and, bits},
      {MPI_BOR, "MPI_BOR", op::bit_or, bits},
      {MPI_BXOR, "MPI_BXOR", op::bit_xor, bits},
      {MPI_MINLOC, "MPI_MINLOC", op::minimum_location, pairs},
      {MPI_MAXLOC, "MPI_MAXLOC", op::maximum_location, pairs},
      {MPI_REPLACE, "MPI_REPLACE", op::replace, "predefined datatypes"},
      {MPI_NO_OP, "MPI_NO_OP", op::nothing, "predefined datatypes"},
  };
  count = std::size(all);
  return all;
}

// The standard allows no operations on characters, and no logical ones on MPI_AINT, MPI_OFFSET and MPI_COUNT. MPICH and
// Open MPI do both, and programs rely on it: characters are what char is to the compiler, the others C integers.
const Datatype* stand_in(const Datatype& type) {
  switch (type.category) {
    case Category::character: return find(std::numeric_limits<char>::is_signed ? MPI_SIGNED_CHAR : MPI_UNSIGNED_CHAR);
    case Category::multi_language: return find(type.size == 8 ? MPI_INT64_T : MPI_INT32_T);
    default: return nullptr;
  }
}

// The loop of a predefined operation for a type; null: there is none.
Op::Function loop_for(const Op& op, const Datatype& type) {
  if (const Op::Function function = op.select(type)) return function;
  const Datatype* other = stand_in(type);
  const Op::Function function = other ? op.select(*other) : nullptr;
  if (function && is_strict())
    tell_once(std::string(op.name) + " works on " + describe(type) + " as on " + describe(*other) +
              ": the standard does not allow it, and takes " + op.takes);
  return function;
}

}  // namespace

void register_ops() {
  std::size_t count;
  const Row* all = rows(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto* op = new Op;  // lives as long as the process
    op->name = all[i].name;
    op->takes = all[i].takes;
    op->select = all[i].select;
    op->commutative = !of_windows(*op);
    table<Op>().insert_predefined(*op, static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(all[i].handle)));
  }
}

Error create_op(Op::Trampoline trampoline, void* function, bool commutative, Op*& out) {
  auto* op = new Op;
  op->trampoline = trampoline;
  op->function = function;
  op->commutative = commutative;
  if (const Error error = table<Op>().insert(*op)) {
    delete op;
    return error;
  }
  out = op;
  return success;
}

void release(Op& op) {
  if (drop_reference(op)) delete &op;
}

Error check_op(const Op& op, const Datatype& type) {
  Op::Function function;
  return check_op(op, type, function);
}

Error check_op(const Op& op, const Datatype& type, Op::Function& out) {
  out = nullptr;
  if (!op.select) return success;
  if (of_windows(op)) return fail(ErrorClass::op, "%s is for accumulations into windows only", op.name);
  if (type.basic == Basic::none)
    return fail(ErrorClass::op, "%s works on predefined datatypes only, not on %s", op.name, describe(type));
  out = loop_for(op, type);
  if (!out) return fail(ErrorClass::op, "%s does not work on %s: it takes %s", op.name, describe(type), op.takes);
  return success;
}

Error reduce_local(Op& op, Datatype& type, const void* in, void* inout, MPI_Count count) {
  if (op.trampoline) {
    op.trampoline(op.function, in, inout, count, type);
    return success;
  }
  const Op::Function function = loop_for(op, type);
  if (!function) return check_op(op, type);
  function(in, inout, count);
  return success;
}

namespace {

// The handle that a program's function is told. The program may have freed its own while an operation is under way.
class TypeHandle {
 public:
  explicit TypeHandle(Datatype& type) : type_(type), made_(type.index == 0) {
    if (made_) table<Datatype>().insert(type).ignore();  // without a number left the function sees a null handle
  }
  ~TypeHandle() {
    if (made_ && type_.index != 0) table<Datatype>().erase(type_);
  }
  TypeHandle(const TypeHandle&) = delete;
  TypeHandle& operator=(const TypeHandle&) = delete;
  MPI_Datatype value() const { return handle_of(type_); }

 private:
  Datatype& type_;
  bool made_;
};

}  // namespace

void call_c_op(void* function, const void* in, void* inout, MPI_Count count, Datatype& type) {
  const auto user = reinterpret_cast<MPI_User_function*>(function);
  // The function counts in int: longer vectors are given to it in pieces.
  constexpr MPI_Count most = 1 << 30;
  // Numbers, since a buffer may be an address from MPI_BOTTOM.
  auto from = reinterpret_cast<std::uintptr_t>(in), to = reinterpret_cast<std::uintptr_t>(inout);
  const TypeHandle type_handle(type);
  while (count > 0) {
    int length = static_cast<int>(std::min(count, most));
    MPI_Datatype handle = type_handle.value();
    user(reinterpret_cast<void*>(from), reinterpret_cast<void*>(to), &length, &handle);
    from = moved(from, length * type.extent);
    to = moved(to, length * type.extent);
    count -= length;
  }
}

void call_c_op_large(void* function, const void* in, void* inout, MPI_Count count, Datatype& type) {
  if (count == 0) return;
  const auto user = reinterpret_cast<MPI_User_function_c*>(function);
  const TypeHandle type_handle(type);
  MPI_Datatype handle = type_handle.value();
  user(const_cast<void*>(in), inout, &count, &handle);
}

}  // namespace cow

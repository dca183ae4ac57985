// Questions about the binary interface, and what a Fortran binding tells of its compiler.
#include <cstdlib>
#include <cstring>
#include <string>

#include "api/bodies.hpp"
#include "objects/info.hpp"
#include "objects/predefined.hpp"

namespace cow {
namespace {

// What has been told so far. A second binding, of another compiler, cannot have other values in the same process.
Info* told_info = nullptr;
int told_logical_size = 0;  // 0: the logical values have not been told

// Reads one of the sizes; the ones that are not there keep their value.
Error read_size(const Info& info, const char* key, int largest, int& out) {
  const std::string* const text = info.get(key);
  if (!text) return success;
  char* end = nullptr;
  const long value = strtol(text->c_str(), &end, 10);
  const bool power = value > 0 && (value & (value - 1)) == 0;
  if (*end != '\0' || text->empty() || !power || value > largest)
    return fail(ErrorClass::info_value, "info key %s is \"%s\": expected a size of a type, at most %d", key,
                text->c_str(), largest);
  out = static_cast<int>(value);
  return success;
}

Error read_facts(const Info& info, FortranFacts& facts) {
  if (Error error = read_size(info, "mpi_logical_size", 16, facts.logical_size)) return error;
  if (Error error = read_size(info, "mpi_integer_size", 16, facts.integer_size)) return error;
  if (Error error = read_size(info, "mpi_real_size", 16, facts.real_size)) return error;
  return read_size(info, "mpi_double_precision_size", 16, facts.double_precision_size);
}

// The same keys with the same values.
bool is_same(const Info& one, const Info& other) {
  if (one.entries.size() != other.entries.size()) return false;
  for (const auto& [key, value] : one.entries) {
    const std::string* const found = other.get(key);
    if (!found || *found != value) return false;
  }
  return true;
}

Error check_logical_size(int size) {
  for (const int known : {1, 2, 4, 8})
    if (size == known) return success;
  return fail(ErrorClass::arg, "logical_size is %d, must be 1, 2, 4 or 8", size);
}

// A logical value of `size` bytes, in this machine's byte order: the low bytes come first.
std::int64_t load(const void* from, int size) {
  std::int64_t value = 0;
  memcpy(&value, from, static_cast<std::size_t>(size));
  return value;
}
void store(void* to, std::int64_t value, int size) { memcpy(to, &value, static_cast<std::size_t>(size)); }

}  // namespace

// The sizes of the types that the standard lets an ABI choose, in bytes. The program frees the info.
Error body::Abi_get_info(MPI_Info* info) {
  InfoEntries made;
  made.set("mpi_aint_size", std::to_string(sizeof(MPI_Aint)));
  made.set("mpi_count_size", std::to_string(sizeof(MPI_Count)));
  made.set("mpi_offset_size", std::to_string(sizeof(MPI_Offset)));
  return give_info(std::move(made), info);
}

Error body::Abi_set_fortran_info(Info* info) {
  if (told_info && is_same(*told_info, *info)) return success;
  if (told_info) return fail(MPI_ERR_ABI, "the facts of Fortran have been set already, to other values");
  FortranFacts facts = fortran_facts;
  if (Error error = read_facts(*info, facts)) return error;
  set_fortran_facts(facts);
  told_info = copy_info(*info);
  return success;
}

// Null until they have been set.
Error body::Abi_get_fortran_info(MPI_Info* info) {
  *info = MPI_INFO_NULL;
  return told_info ? give_info(*told_info, info) : success;
}

Error body::Abi_set_fortran_booleans(int logical_size, void* logical_true, void* logical_false) {
  if (Error error = check_logical_size(logical_size)) return error;
  if (!logical_true || !logical_false) return fail(ErrorClass::arg, "a value is a null pointer");
  FortranFacts facts = fortran_facts;
  facts.logical_true = load(logical_true, logical_size);
  facts.logical_false = load(logical_false, logical_size);
  if (facts.logical_true == facts.logical_false) return fail(ErrorClass::arg, "true and false are the same value");
  const bool same =
      facts.logical_true == fortran_facts.logical_true && facts.logical_false == fortran_facts.logical_false;
  if (told_logical_size != 0 && !(same && told_logical_size == logical_size))
    return fail(MPI_ERR_ABI, "the logical values of Fortran have been set already, to others");
  set_fortran_facts(facts);
  told_logical_size = logical_size;
  return success;
}

Error body::Abi_get_fortran_booleans(int logical_size, void* logical_true, void* logical_false, int* is_set) {
  if (Error error = check_logical_size(logical_size)) return error;
  *is_set = told_logical_size != 0;
  if (!*is_set) return success;
  if (told_logical_size != logical_size)
    return fail(ErrorClass::arg, "logical_size is %d, the values were set with %d", logical_size, told_logical_size);
  if (!logical_true || !logical_false) return fail(ErrorClass::arg, "a value is a null pointer");
  store(logical_true, fortran_facts.logical_true, logical_size);
  store(logical_false, fortran_facts.logical_false, logical_size);
  return success;
}

}  // namespace cow

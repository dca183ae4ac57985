// Takes the place of malloc and its like in a libmpi_abi.so.1 that is made for tests: the program that runs with it is asked
// for each allocation of the library, and of nothing else.
#include <cerrno>
#include <cstdlib>

extern "C" {

// The program's. False: there is no memory. `change` is 1 for a piece more, -1 for one less.
[[gnu::weak, gnu::visibility("default")]] bool cow_allocation(int change);

void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t count, std::size_t size);
void* __real_realloc(void* memory, std::size_t size);
void* __real_aligned_alloc(std::size_t alignment, std::size_t size);
void __real_free(void* memory);

namespace {
bool may_have_more() {
  if (!cow_allocation || cow_allocation(1)) return true;
  errno = ENOMEM;
  return false;
}
}  // namespace

void* __wrap_malloc(std::size_t size) { return may_have_more() ? __real_malloc(size) : nullptr; }
void* __wrap_calloc(std::size_t count, std::size_t size) {
  return may_have_more() ? __real_calloc(count, size) : nullptr;
}
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size) {
  return may_have_more() ? __real_aligned_alloc(alignment, size) : nullptr;
}
void* __wrap_realloc(void* memory, std::size_t size) {
  if (memory) return __real_realloc(memory, size);
  return may_have_more() ? __real_realloc(nullptr, size) : nullptr;
}
void __wrap_free(void* memory) {
  if (memory && cow_allocation) cow_allocation(-1);
  __real_free(memory);
}

}  // extern "C"

// Making windows, and what a program asks of them.
#include "rma/window.hpp"

#include <cstring>
#include <utility>

#include "api/bodies.hpp"
#include "objects/group.hpp"
#include "objects/info.hpp"
#include "rma/checks.hpp"

namespace cow {

using namespace rma;

namespace {

Error make(Comm& comm, const Making& making, MPI_Win* win, void* baseptr = nullptr) {
  Window* window;
  if (Error error = make_window(comm, making, window)) return error;
  *win = handle_of(static_cast<Win&>(*window));
  if (baseptr) memcpy(baseptr, &window->base, sizeof window->base);
  return success;
}

Error need_dynamic(const Window& window) {
  if (window.dynamic()) return success;
  return fail(MPI_ERR_RMA_FLAVOR, "%s was not made by MPI_Win_create_dynamic", describe(window));
}

}  // namespace

Error body::Win_create(void* base, MPI_Aint size, MPI_Count disp_unit, Info* info, Comm& comm, MPI_Win* win) {
  return make(comm, {MPI_WIN_FLAVOR_CREATE, base, size, disp_unit, info}, win);
}

Error body::Win_allocate(MPI_Aint size, MPI_Count disp_unit, Info* info, Comm& comm, void* baseptr, MPI_Win* win) {
  return make(comm, {MPI_WIN_FLAVOR_ALLOCATE, nullptr, size, disp_unit, info}, win, baseptr);
}

Error body::Win_allocate_shared(MPI_Aint size, MPI_Count disp_unit, Info* info, Comm& comm, void* baseptr,
                                MPI_Win* win) {
  return make(comm, {MPI_WIN_FLAVOR_SHARED, nullptr, size, disp_unit, info}, win, baseptr);
}

Error body::Win_create_dynamic(Info* info, Comm& comm, MPI_Win* win) {
  return make(comm, {MPI_WIN_FLAVOR_DYNAMIC, nullptr, 0, 1, info}, win);
}

Error body::Win_attach(Win& win, void* base, MPI_Aint size) {
  if (!base) return fail(ErrorClass::buffer, "base is a null pointer");
  Window& window = window_of(win);
  if (Error error = need_dynamic(window)) return error;
  if (size < 0) return fail(MPI_ERR_SIZE, "size %lld is negative", static_cast<long long>(size));
  const auto first = reinterpret_cast<std::uintptr_t>(base), last = first + static_cast<std::uintptr_t>(size);
  for (const auto& [begin, bytes] : window.attached)
    if (begin == first || (first < begin + static_cast<std::uintptr_t>(bytes) && begin < last))
      return fail(MPI_ERR_RMA_ATTACH, "a part of this memory is attached to %s already", describe(window));
  window.attached[first] = size;
  return success;
}

Error body::Win_detach(Win& win, const void* base) {
  if (!base) return fail(ErrorClass::buffer, "base is a null pointer");
  Window& window = window_of(win);
  if (Error error = need_dynamic(window)) return error;
  if (window.attached.erase(reinterpret_cast<std::uintptr_t>(base)) > 0) return success;
  return fail(MPI_ERR_BASE, "no memory that begins there is attached to %s", describe(window));
}

Error body::Win_free(MPI_Win* win) {
  if (Error error = free_window(window_of(*find(*win)))) return error;
  *win = MPI_WIN_NULL;
  return success;
}

Error body::Win_shared_query(Win& win, int rank, MPI_Aint* size, MPI_Count* disp_unit, void* baseptr) {
  Window& window = window_of(win);
  if (window.dynamic()) return fail(MPI_ERR_RMA_FLAVOR, "%s is a dynamic window", describe(window));
  if (rank == MPI_PROC_NULL) {  // the first rank with memory that is seen here
    for (rank = 0; rank < window.comm->size() && !(window.target(rank).mapped && window.part(rank).size > 0);) ++rank;
    if (rank == window.comm->size()) rank = window.comm->rank;
  }
  if (Error error = check_rank(window, rank)) return error;
  std::byte* const mapped = window.target(rank).mapped;
  *size = mapped ? window.part(rank).size : 0;
  *disp_unit = window.part(rank).disp_unit;
  memcpy(baseptr, &mapped, sizeof mapped);
  return success;
}

Error body::Win_get_group(Win& win, MPI_Group* group) { return give_handle(win.comm->group, group); }

Error body::Win_get_info(Win& win, MPI_Info* info_used) {
  InfoEntries info;
  static constexpr std::pair<const char*, const char*> defaults[] = {
      {"no_locks", "false"},
      {"accumulate_ordering", "rar,raw,war,waw"},
      {"accumulate_ops", "same_op_no_op"},
      {"same_size", "false"},
      {"same_disp_unit", "false"},
      {"alloc_shared_noncontig", "false"},
  };
  for (const auto& [key, value] : defaults) {
    const std::string* const given = win.info ? win.info->get(key) : nullptr;
    info.set(key, given ? *given : value);
  }
  return give_info(std::move(info), info_used);
}

// Hints promise what a program will not do; all are kept, to be told.
Error body::Win_set_info(Win& win, Info* info) {
  if (!info) return success;
  if (!win.info) win.info = new Info;
  for (const auto& [key, value] : info->entries) win.info->set(key, value);
  return success;
}

}  // namespace cow

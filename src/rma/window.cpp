#include "rma/window.hpp"

#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <unordered_map>

#include "coll/comms/new_comm.hpp"
#include "coll/execute/forms.hpp"
#include "objects/errhandler.hpp"
#include "objects/info.hpp"
#include "rma/messages.hpp"
#include "rma/sync.hpp"
#include "runtime/job.hpp"

namespace cow::rma {
namespace {

std::unordered_map<std::uint64_t, Window*>& windows() {
  static auto& map = *new std::unordered_map<std::uint64_t, Window*>;
  return map;
}

// A communicator without a handle: the program never sees it.
Error make_own_comm(Comm& comm, Window& window) {
  std::uint64_t context = comm.rank == 0 ? coll::new_context() : 0;
  if (Error error = coll::bcast_bytes(comm, &context, sizeof context, 0)) return error;
  auto* const own = new Comm;
  own->context = context;
  own->group = comm.group;
  retain(*comm.group);
  own->rank = comm.rank;
  if (comm.errhandler) replace(own->errhandler, *comm.errhandler);
  window.comm = own;
  return success;
}

constexpr std::size_t align = 4096;
std::size_t rounded(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

// Where each rank's memory begins behind the file's first page; `total` the size of all.
std::vector<std::size_t> places_of(const Window& window, bool close, const std::vector<int>& ranks,
                                   std::size_t& total) {
  std::vector<std::size_t> places;
  total = 0;
  for (const int r : ranks) {
    places.push_back(total);
    const auto size = static_cast<std::size_t>(window.parts[static_cast<std::size_t>(r)].size);
    total += close ? size : rounded(size);
  }
  return places;
}

std::vector<int> neighbours(Window& window) {
  std::vector<int> out;
  for (int r = 0; r < window.comm->size(); ++r)
    if (window.part(r).node == window.part(window.comm->rank).node) out.push_back(r);
  return out;
}

struct Shared {
  transport::shm::Offer offer;
  std::uint32_t failed = 0;
  std::uint32_t zero = 0;
};

// All ranks say whether they failed; the same answer everywhere.
Error agree(Window& window, Shared& own, std::vector<Shared>& all, bool& failed) {
  all.resize(window.parts.size());
  if (Error error = coll::allgather_bytes(*window.comm, &own, all.data(), sizeof own)) return error;
  failed = false;
  for (const Shared& each : all) failed = failed || each.failed;
  return success;
}

// The memory of the ranks of a node is one file, made by the first of them, in the order of the ranks.
Error share_memory(Window& window, bool& failed) {
  const std::vector<int> ranks = neighbours(window);
  const int me = window.comm->rank;
  const bool close = window.flavor == MPI_WIN_FLAVOR_SHARED;
  std::size_t total;
  const std::vector<std::size_t> places = places_of(window, close, ranks, total);
  const std::size_t bytes = transport::shm::SharedFile::reserved + (total + align - 1) / align * align + align;
  Shared own;
  std::vector<Shared> all;
  if (ranks[0] == me) own.failed = static_cast<bool>(window.shared.make(bytes, own.offer));
  if (Error error = agree(window, own, all, failed)) return error;
  if (failed) return success;
  own.failed = 0;
  if (ranks[0] != me)
    own.failed = static_cast<bool>(window.shared.open(bytes, all[static_cast<std::size_t>(ranks[0])].offer));
  std::size_t mine = 0;
  for (std::size_t i = 0; i < ranks.size(); ++i)
    if (ranks[i] == me) mine = transport::shm::SharedFile::reserved + places[i];
  if (!own.failed && window.size > 0)
    own.failed = static_cast<bool>(window.shared.reserve(mine, mine + static_cast<std::size_t>(window.size)));
  if (Error error = agree(window, own, all, failed)) return error;
  window.shared.close_file();
  if (failed) return success;
  std::byte* const memory = window.shared.memory() + transport::shm::SharedFile::reserved;
  for (std::size_t i = 0; i < ranks.size(); ++i) window.target(ranks[i]).mapped = memory + places[i];
  window.base = memory + (mine - transport::shm::SharedFile::reserved);
  return success;
}

// A node that cannot share gives each rank memory of its own, unless the program asked for shared memory.
Error allocate(Window& window) {
  bool failed = false;
  if (Error error = share_memory(window, failed)) return error;
  if (!failed) return success;
  if (window.flavor == MPI_WIN_FLAVOR_SHARED)
    return fail(ErrorClass::no_mem,
                "a rank of the node could not share memory for the window; this one asked for %lld bytes",
                static_cast<long long>(window.size));
  window.own_memory.reset(new (std::nothrow) std::byte[static_cast<std::size_t>(window.size) + 1]());
  Shared own;
  own.failed = !window.own_memory;
  std::vector<Shared> all;
  if (Error error = agree(window, own, all, failed)) return error;
  if (failed)
    return fail(ErrorClass::no_mem, "a rank has no memory for the window; this one asked for %lld bytes",
                static_cast<long long>(window.size));
  window.base = window.own_memory.get();
  return success;
}

Error check(const Making& making, Part& part) {
  part.failed = 1;
  if (making.size < 0) return fail(MPI_ERR_SIZE, "size %lld is negative", static_cast<long long>(making.size));
  if (making.disp_unit <= 0)
    return fail(MPI_ERR_DISP, "disp_unit %lld: expected 1 or more", static_cast<long long>(making.disp_unit));
  if (making.disp_unit > INT32_MAX)
    return fail(MPI_ERR_DISP, "disp_unit %lld: more than an int holds", static_cast<long long>(making.disp_unit));
  if (making.flavor == MPI_WIN_FLAVOR_CREATE && making.size > 0 && !making.base)
    return fail(MPI_ERR_BASE, "base is a null pointer, but size is %lld", static_cast<long long>(making.size));
  part.failed = 0;
  return success;
}

Error exchange_parts(Window& window, Part own) {
  const auto size = static_cast<std::size_t>(window.comm->size());
  window.parts.resize(size);
  window.targets.resize(size);
  if (Error error = coll::allgather_bytes(*window.comm, &own, window.parts.data(), sizeof own)) return error;
  for (std::size_t r = 0; r < size; ++r) {
    if (window.parts[r].failed) return fail(ErrorClass::arg, "rank %zu was given wrong arguments for the window", r);
    if (window.flavor == MPI_WIN_FLAVOR_SHARED && window.parts[r].node != own.node)
      return fail(MPI_ERR_RMA_SHARED, "rank %zu is on another node: its memory cannot be shared", r);
  }
  return success;
}

Error fill(Window& window, const Making& making, const Part& own) {
  if (Error error = exchange_parts(window, own)) return error;
  const bool allocates = making.flavor == MPI_WIN_FLAVOR_ALLOCATE || making.flavor == MPI_WIN_FLAVOR_SHARED;
  if (allocates)
    if (Error error = allocate(window)) return error;
  window.target(window.comm->rank).mapped = static_cast<std::byte*>(window.base);
  windows()[window.comm->context] = &window;
  return barrier(window);  // nobody sends messages of a window before all know it
}

void destroy(Window& window) {
  if (window.comm) {
    windows().erase(window.comm->context);
    release(*window.comm);
  }
  if (window.info) release(*window.info);
  if (window.errhandler) release(*window.errhandler);
  delete &window;
}

}  // namespace

Window* find_window(std::uint64_t context) {
  const auto found = windows().find(context);
  return found == windows().end() ? nullptr : found->second;
}

const char* describe(const Window& window) { return window.name.empty() ? "the window" : window.name.c_str(); }

Error barrier(Window& window) {
  return coll::blocking([&](coll::Operation& o) { return prepare_barrier(o, *window.comm); });
}

Error make_window(Comm& comm, const Making& making, Window*& out) {
  if (comm.inter()) return fail(ErrorClass::comm, "it is an intercommunicator: windows are made on intracommunicators");
  open_messages();
  Part own{making.size, making.disp_unit, runtime::job().node, 0};
  const Error wrong = check(making, own);
  const std::string text = wrong ? last_failure() : "";
  auto* const window = new Window;
  window->flavor = making.flavor;
  window->base = making.base;
  window->size = making.size;
  window->disp_unit = static_cast<int>(making.disp_unit);
  replace(window->errhandler, errors_are_fatal);
  if (making.info) window->info = copy_info(*making.info);
  Error error = make_own_comm(comm, *window);
  if (!error) error = fill(*window, making, own);
  if (!error) error = table<Win>().insert(*window);
  if (error) {
    destroy(*window);
    return wrong ? fail(wrong.code(), "%s", text.c_str()) : error;
  }
  out = window;
  return success;
}

Error free_window(Window& window) {
  if (Error error = may_free(window)) return error;
  if (Error error = window.attributes.clear(window.handle())) return error;
  if (Error error = flush_everything(window)) return error;
  if (Error error = barrier(window)) return error;
  table<Win>().erase(window);
  destroy(window);
  return success;
}

}  // namespace cow::rma

// Versions, names, time, memory: what needs nothing of the job.
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "api/bodies.hpp"
#include "api/build_info.hpp"
#include "base/clock.hpp"
#include "objects/info.hpp"
#include "runtime/hardware.hpp"

namespace cow {

Error body::Get_version(int* version, int* subversion) {
  *version = MPI_VERSION;
  *subversion = MPI_SUBVERSION;
  return success;
}

Error body::Abi_get_version(int* abi_major, int* abi_minor) {
  *abi_major = MPI_ABI_VERSION;
  *abi_minor = MPI_ABI_SUBVERSION;
  return success;
}

Error body::Get_library_version(char* version, int* resultlen) {
  *resultlen = snprintf(version, MPI_MAX_LIBRARY_VERSION_STRING, "COW MPI %s, MPI %d.%d, ABI %d.%d",
                        build_info::version, MPI_VERSION, MPI_SUBVERSION, MPI_ABI_VERSION, MPI_ABI_SUBVERSION);
  return success;
}

Error body::Get_processor_name(char* name, int* resultlen) {
  if (gethostname(name, MPI_MAX_PROCESSOR_NAME) != 0)
    return fail(ErrorClass::other, "gethostname: %s", strerror(errno));
  name[MPI_MAX_PROCESSOR_NAME - 1] = '\0';
  *resultlen = static_cast<int>(strlen(name));
  return success;
}

// Whether this process is bound to one of each kind of resource. The keys are what MPI_Comm_split_type takes.
Error body::Get_hw_resource_info(MPI_Info* hw_info) {
  InfoEntries info;
  info.set("mpi_shared_memory", "true");
  for (const runtime::HardwareLevel& level : runtime::hardware_levels())
    info.set(level.type, level.instance >= 0 ? "true" : "false");
  return give_info(std::move(info), hw_info);
}

double body::Wtime() { return static_cast<double>(now()) * 1e-9; }

double body::Wtick() {
  timespec resolution;
  clock_getres(CLOCK_MONOTONIC, &resolution);
  return static_cast<double>(resolution.tv_sec) + static_cast<double>(resolution.tv_nsec) * 1e-9;
}

// MPI 4.0: the info key mpi_minimum_memory_alignment asks for more than what we always give, a cache line.
Error body::Alloc_mem(MPI_Aint size, Info* info, void* baseptr) {
  if (size < 0) return fail(ErrorClass::arg, "size is negative: %lld", static_cast<long long>(size));
  std::size_t alignment = 64;
  if (const std::string* text = info ? info->get("mpi_minimum_memory_alignment") : nullptr) {
    const unsigned long long wanted = strtoull(text->c_str(), nullptr, 10);
    while (alignment < wanted && alignment < std::size_t{1} << 30) alignment *= 2;
  }
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment, std::max<std::size_t>(1, static_cast<std::size_t>(size))) != 0)
    return fail(ErrorClass::no_mem, "no memory for %lld bytes", static_cast<long long>(size));
  *static_cast<void**>(baseptr) = memory;
  return success;
}

Error body::Free_mem(void* base) {
  free(base);
  return success;
}

Error body::Get_address(const void* location, MPI_Aint* address) {
  *address = reinterpret_cast<MPI_Aint>(location);
  return success;
}

// Through unsigned numbers, which may wrap: MPI_BOTTOM plus an absolute address is no overflow.
MPI_Aint body::Aint_add(MPI_Aint base, MPI_Aint disp) {
  return static_cast<MPI_Aint>(static_cast<std::uintptr_t>(base) + static_cast<std::uintptr_t>(disp));
}

MPI_Aint body::Aint_diff(MPI_Aint addr1, MPI_Aint addr2) {
  return static_cast<MPI_Aint>(static_cast<std::uintptr_t>(addr1) - static_cast<std::uintptr_t>(addr2));
}

// The meaning of the level is a profiling tool's, which replaces this function.
Error body::Pcontrol(int) { return success; }

}  // namespace cow

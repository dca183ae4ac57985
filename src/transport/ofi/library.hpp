// libfabric, opened when first needed. It exports about ten functions; all else is inline in its headers.
#pragma once

#include <rdma/fabric.h>

#include <cstdint>

#include "base/error.hpp"

namespace cow::transport::ofi {

struct Library {
  int (*getinfo)(std::uint32_t version, const char* node, const char* service, std::uint64_t flags,
                 const fi_info* hints, fi_info** out) = nullptr;
  void (*freeinfo)(fi_info*) = nullptr;
  fi_info* (*dupinfo)(const fi_info*) = nullptr;
  int (*fabric)(fi_fabric_attr*, fid_fabric**, void* context) = nullptr;
  const char* (*strerror)(int) = nullptr;
  std::uint32_t version = 0;    // of the interface: the lower of the library's and of our headers'
  std::uint32_t installed = 0;  // of the library
};

// Opens it at the first call, and never closes it: providers leave threads and handlers behind.
Error load(const Library*& out);

// The signal dispositions and the environment as they were, whatever the libraries opened in between did to them.
// Debian's libfabric pulls in libraries that install handlers for SEGV, BUS, TERM …
class QuietScope {
 public:
  QuietScope();
  ~QuietScope();
  QuietScope(const QuietScope&) = delete;
  QuietScope& operator=(const QuietScope&) = delete;

 private:
  struct Saved;
  Saved* saved_;
};

}  // namespace cow::transport::ofi

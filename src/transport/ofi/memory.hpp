// Memory of a port's own, from the kernel: page-aligned, not resident until touched, registered when the provider
// wants.
#pragma once

#include <rdma/fi_domain.h>

#include <cstddef>

#include "base/error.hpp"
#include "transport/ofi/fabric.hpp"

namespace cow::transport::ofi {

class Slab {
 public:
  Slab() = default;
  ~Slab();
  Slab(Slab&& other) noexcept;
  Slab& operator=(Slab&&) = delete;

  // `access`: FI_SEND and FI_RECV as used.
  Error open(const Fabric& fabric, std::size_t size, std::uint64_t access);
  char* bytes() const { return bytes_; }
  void* descriptor() const { return memory_ ? fi_mr_desc(memory_) : nullptr; }

 private:
  char* bytes_ = nullptr;
  std::size_t size_ = 0;
  fid_mr* memory_ = nullptr;
};

// Registers memory; binds it to the endpoint where the provider asks for that. Returns libfabric's code.
int register_range(const Fabric& fabric, const void* address, std::size_t size, std::uint64_t access, std::uint64_t key,
                   fid_mr*& out);

// A key for remote access that a stranger cannot guess.
std::uint64_t next_key(const Fabric& fabric);

}  // namespace cow::transport::ofi

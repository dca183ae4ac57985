#include "transport/ofi/memory.hpp"

#include <sys/mman.h>
#include <sys/random.h>

#include <cstdlib>
#include <utility>

namespace cow::transport::ofi {

Slab::~Slab() {
  if (memory_) fi_close(&memory_->fid);
  if (bytes_) munmap(bytes_, size_);
}

Slab::Slab(Slab&& other) noexcept
    : bytes_(std::exchange(other.bytes_, nullptr)), size_(other.size_), memory_(std::exchange(other.memory_, nullptr)) {
}

Error Slab::open(const Fabric& fabric, std::size_t size, std::uint64_t access) {
  void* mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return fail(ErrorClass::no_mem, "no memory for %zu bytes of message buffers", size);
  bytes_ = static_cast<char*>(mapped);
  size_ = size;
  if (!fabric.has_mode(FI_MR_LOCAL)) return success;
  if (int code = register_range(fabric, bytes_, size, access, next_key(fabric), memory_))
    return fail(ErrorClass::other, "libfabric cannot register message buffers: %s", fabric.library.strerror(-code));
  return success;
}

int register_range(const Fabric& fabric, const void* address, std::size_t size, std::uint64_t access, std::uint64_t key,
                   fid_mr*& out) {
  int code = fi_mr_reg(fabric.domain.get(), address, size, access, 0, key, 0, &out, nullptr);
  if (code || !fabric.has_mode(FI_MR_ENDPOINT)) return code;
  for (const Owned<fid_ep>& ep : fabric.eps)
    if (!code) code = fi_mr_bind(out, &ep->fid, 0);
  if (!code) code = fi_mr_enable(out);
  if (code) {
    fi_close(&out->fid);
    out = nullptr;
  }
  return code;
}

std::uint64_t next_key(const Fabric& fabric) {
  if (fabric.has_mode(FI_MR_PROV_KEY)) return 0;  // the provider chooses
  static std::uint64_t keys[32];
  static std::size_t left = 0;
  if (left == 0) {
    COW_INVARIANT(getrandom(keys, sizeof keys, 0) == sizeof keys);  // at most 256 bytes never come short
    left = std::size(keys);
  }
  const std::uint64_t key = keys[--left];
  const std::size_t size = fabric.info->domain_attr->mr_key_size;
  return size >= sizeof key ? key : key & ((std::uint64_t{1} << (8 * size)) - 1);
}

}  // namespace cow::transport::ofi

#include "transport/ofi/send_pool.hpp"

#include <new>

namespace cow::transport::ofi {

void SendPool::open(const Fabric& fabric, std::size_t bound, std::size_t size) {
  fabric_ = &fabric;
  bound_ = bound;
  size_ = size;
  free_.reserve(bound + per_slab);
}

bool SendPool::grow() {
  if (buffers_.size() * per_slab >= bound_) return false;
  Slab slab;
  if (slab.open(*fabric_, per_slab * size_, FI_SEND)) {
    forget_failure();  // the message waits until a buffer comes back
    return false;
  }
  std::unique_ptr<SendBuffer[]> buffers(new (std::nothrow) SendBuffer[per_slab]);
  if (!buffers) return false;
  for (std::size_t i = 0; i < per_slab; ++i) {
    buffers[i].bytes = slab.bytes() + i * size_;
    buffers[i].descriptor = slab.descriptor();
    free_.push_back(&buffers[i]);
  }
  slabs_.push_back(std::move(slab));
  buffers_.push_back(std::move(buffers));
  return true;
}

void SendPool::abandon(std::uint32_t slot) {
  for (auto& buffers : buffers_)
    for (std::size_t i = 0; i < per_slab; ++i)
      if (buffers[i].slot == slot) buffers[i].abandoned = true;
}

}  // namespace cow::transport::ofi

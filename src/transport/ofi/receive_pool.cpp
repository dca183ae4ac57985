#include "transport/ofi/receive_pool.hpp"

#include <algorithm>

namespace cow::transport::ofi {

Error ReceivePool::open(Fabric& fabric, std::size_t count, std::size_t size) {
  size_ = size;
  if (fabric.info->rx_attr->size > 0) count = std::min(count, fabric.info->rx_attr->size);
  const std::size_t total = count * fabric.eps.size();
  if (Error error = slab_.open(fabric, total * size, FI_RECV)) return error;
  buffers_ = std::vector<ReceiveBuffer>(total);
  waiting_.reserve(total);
  for (std::size_t i = 0; i < total; ++i) {
    buffers_[i].ep = fabric.eps[i / count].get();
    buffers_[i].bytes = slab_.bytes() + i * size;
    buffers_[i].descriptor = slab_.descriptor();
    post(buffers_[i]);
  }
  return success;
}

void ReceivePool::retry() {
  while (!waiting_.empty()) {
    ReceiveBuffer& buffer = *waiting_.back();
    waiting_.pop_back();
    const std::size_t before = waiting_.size();
    post(buffer);
    if (waiting_.size() > before) return;
  }
}

}  // namespace cow::transport::ofi

#include "transport/ofi/receive_pool.hpp"

#include <algorithm>

namespace cow::transport::ofi {

Error ReceivePool::open(Endpoint& endpoint, std::size_t count, std::size_t size) {
  ep_ = endpoint.ep.get();
  size_ = size;
  if (endpoint.info->rx_attr->size > 0) count = std::min(count, endpoint.info->rx_attr->size);
  if (Error error = slab_.open(endpoint, count * size, FI_RECV)) return error;
  buffers_ = std::vector<ReceiveBuffer>(count);
  waiting_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    buffers_[i].bytes = slab_.bytes() + i * size;
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

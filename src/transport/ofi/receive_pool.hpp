// Posted receive buffers, each for one message.
#pragma once

#include <vector>

#include "transport/ofi/fabric.hpp"
#include "transport/ofi/memory.hpp"
#include "transport/ofi/operation_context.hpp"

namespace cow::transport::ofi {

struct ReceiveBuffer : OperationContext {
  ReceiveBuffer() : OperationContext(Kind::receive) {}
  fid_ep* ep = nullptr;  // where it is posted
  char* bytes = nullptr;
  void* descriptor = nullptr;
};

class ReceivePool {
 public:
  // Posts `count` buffers of `size` bytes, or as many as it takes, to each endpoint.
  Error open(Fabric& fabric, std::size_t count, std::size_t size);

  // Gives a buffer back to the provider. What it does not take at once is tried again by retry().
  void post(ReceiveBuffer& buffer) {
    if (fi_recv(buffer.ep, buffer.bytes, size_, buffer.descriptor, FI_ADDR_UNSPEC, &buffer) != 0)
      waiting_.push_back(&buffer);
  }
  bool has_waiting() const { return !waiting_.empty(); }
  void retry();

 private:
  std::size_t size_ = 0;
  Slab slab_;
  std::vector<ReceiveBuffer> buffers_;
  std::vector<ReceiveBuffer*> waiting_;  // has room for all
};

}  // namespace cow::transport::ofi

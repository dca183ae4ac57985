// Posted receive buffers, each for one message.
#pragma once

#include <vector>

#include "transport/ofi/endpoint.hpp"
#include "transport/ofi/memory.hpp"
#include "transport/ofi/operation.hpp"

namespace cow::transport::ofi {

struct ReceiveBuffer : Operation {
  ReceiveBuffer() : Operation(Kind::receive) {}
  char* bytes = nullptr;
};

class ReceivePool {
 public:
  Error open(Endpoint& endpoint, std::size_t count, std::size_t size);

  // Gives a buffer back to the provider. What it does not take at once is tried again by retry().
  void post(ReceiveBuffer& buffer) {
    if (fi_recv(ep_, buffer.bytes, size_, slab_.descriptor(), FI_ADDR_UNSPEC, &buffer) != 0) waiting_.push_back(&buffer);
  }
  bool has_waiting() const { return !waiting_.empty(); }
  void retry();

 private:
  fid_ep* ep_ = nullptr;
  std::size_t size_ = 0;
  Slab slab_;
  std::vector<ReceiveBuffer> buffers_;
  std::vector<ReceiveBuffer*> waiting_;  // has room for all
};

}  // namespace cow::transport::ofi

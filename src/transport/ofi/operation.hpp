// What libfabric hands back with a completion. The provider owns `context` from the post until then.
#pragma once

#include <rdma/fabric.h>

#include <cstdint>

namespace cow::transport::ofi {

struct Operation {
  enum class Kind : std::uint8_t { receive, send, piece };

  fi_context2 context = {};
  Kind kind;
  bool abandoned = false;  // its destination was forgotten: nobody is to be told any more
  std::uint32_t slot = 0;  // the destination's slot (send, piece)

  explicit Operation(Kind kind) : kind(kind) {}
};

// From what libfabric hands back.
inline Operation* operation_of(void* context) { return static_cast<Operation*>(context); }
static_assert(__builtin_offsetof(Operation, context) == 0);

}  // namespace cow::transport::ofi

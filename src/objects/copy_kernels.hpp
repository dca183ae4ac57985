// The inner loops of packing and unpacking, for frequent block sizes. Included by pack.cpp only.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <cstring>

#include "base/address.hpp"
#include "objects/plan.hpp"

namespace cow::kernel {

// Copies between the user's memory (an address, which may be an absolute one from MPI_BOTTOM) and the packed stream.
struct ToStream {
  using Stream = char*;
  static void prefetch(std::uintptr_t user) { __builtin_prefetch(reinterpret_cast<const void*>(user), 0, 3); }
  template <std::size_t n>
  static void copy(std::uintptr_t user, char* stream) {
    std::memcpy(stream, reinterpret_cast<const void*>(user), n);
  }
  static void copy(std::uintptr_t user, char* stream, std::size_t n) {
    std::memcpy(stream, reinterpret_cast<const void*>(user), n);
  }
};
struct FromStream {
  using Stream = const char*;
  static void prefetch(std::uintptr_t user) { __builtin_prefetch(reinterpret_cast<const void*>(user), 1, 3); }
  template <std::size_t n>
  static void copy(std::uintptr_t user, const char* stream) {
    std::memcpy(reinterpret_cast<void*>(user), stream, n);
  }
  static void copy(std::uintptr_t user, const char* stream, std::size_t n) {
    std::memcpy(reinterpret_cast<void*>(user), stream, n);
  }
};

// A block of a size known only now. Moves may overlap: they carry the same bytes. The library's memcpy is left to
// blocks that are worth a call; up to a few pages it is slower than these loops where it uses string instructions.
template <class Way>
inline void copy_block(std::uintptr_t user, typename Way::Stream stream, std::size_t n) {
  if (n >= 64) {
    if (n > 16384) return Way::copy(user, stream, n);
    std::size_t at = 0;
    for (; at + 64 <= n; at += 64) Way::template copy<64>(user + at, stream + at);
    if (at != n) Way::template copy<64>(user + n - 64, stream + n - 64);
  } else if (n >= 16) {
    std::size_t at = 0;
    for (; at + 16 <= n; at += 16) Way::template copy<16>(user + at, stream + at);
    if (at != n) Way::template copy<16>(user + n - 16, stream + n - 16);
  } else if (n >= 8) {
    Way::template copy<8>(user, stream);
    if (n != 8) Way::template copy<8>(user + n - 8, stream + n - 8);
  } else if (n >= 4) {
    Way::template copy<4>(user, stream);
    if (n != 4) Way::template copy<4>(user + n - 4, stream + n - 4);
  } else if (n >= 2) {
    Way::template copy<2>(user, stream);
    if (n == 3) Way::template copy<1>(user + 2, stream + 2);
  } else if (n == 1) {
    Way::template copy<1>(user, stream);
  }
}

// Calls action(std::integral_constant n) for the block sizes that have loops of their own, action(n) for others.
template <std::size_t n>
struct Fixed {
  static constexpr std::size_t value = n;
};
struct Variable {
  std::size_t value;
};
// Blocks of a cache line or two, far apart: the processor foresees them only up to the end of a page.
template <class Size>
constexpr bool prefetched = false;
template <std::size_t n>
constexpr bool prefetched<Fixed<n>> = n >= 64;
constexpr MPI_Count ahead = 32;  // blocks; measured

template <class Action>
inline void with_block_size(std::size_t n, Action action) {
  switch (n) {
    case 1: return action(Fixed<1>{});
    case 2: return action(Fixed<2>{});
    case 4: return action(Fixed<4>{});
    case 8: return action(Fixed<8>{});
    case 12: return action(Fixed<12>{});
    case 16: return action(Fixed<16>{});
    case 24: return action(Fixed<24>{});
    case 32: return action(Fixed<32>{});
    case 48: return action(Fixed<48>{});
    case 64: return action(Fixed<64>{});
    case 128: return action(Fixed<128>{});
    default: return action(Variable{n});
  }
}
template <class Way, std::size_t n>
inline void copy_sized(std::uintptr_t user, typename Way::Stream stream, Fixed<n>) {
  Way::template copy<n>(user, stream);
}
template <class Way>
inline void copy_sized(std::uintptr_t user, typename Way::Stream stream, Variable n) {
  copy_block<Way>(user, stream, n.value);
}

// `count` blocks, `stride` apart, to or from a dense stream; returns the stream behind them. Four at a time: the
// addresses of a round do not wait for each other.
template <class Way, class Size>
inline typename Way::Stream row(std::uintptr_t user, typename Way::Stream stream, MPI_Count count, MPI_Aint stride,
                                Size size) {
  const auto step = static_cast<std::uintptr_t>(stride);
  for (; count >= 4; count -= 4, user += 4 * step, stream += 4 * size.value) {
    if constexpr (prefetched<Size>) {
      for (MPI_Count i = ahead; count > ahead && i < ahead + 4; ++i)
        for (std::size_t line = 0; line < size.value; line += 64) Way::prefetch(moved(user, i * stride) + line);
    }
    copy_sized<Way>(user, stream, size);
    copy_sized<Way>(user + step, stream + size.value, size);
    copy_sized<Way>(user + 2 * step, stream + 2 * size.value, size);
    copy_sized<Way>(user + 3 * step, stream + 3 * size.value, size);
  }
  for (; count > 0; --count, user += step, stream += size.value) copy_sized<Way>(user, stream, size);
  return stream;
}

// `outer` times, `outer_stride` apart: `inner` blocks, `stride` apart.
template <class Way>
void strided(std::uintptr_t user, typename Way::Stream stream, MPI_Count outer, MPI_Aint outer_stride, MPI_Count inner,
             MPI_Aint stride, MPI_Count bytes) {
  with_block_size(static_cast<std::size_t>(bytes), [=](auto size) {
    auto out = stream;
    for (MPI_Count i = 0; i < outer; ++i) out = row<Way>(moved(user, i * outer_stride), out, inner, stride, size);
  });
}

// Blocks from a list of places, all of one size.
template <class Way, class Place>
void equal_blocks(std::uintptr_t user, typename Way::Stream stream, MPI_Count copies, MPI_Aint stride,
                  const Place* places, MPI_Count count, MPI_Count bytes) {
  with_block_size(static_cast<std::size_t>(bytes), [=](auto size) {
    auto out = stream;
    for (MPI_Count i = 0; i < copies; ++i) {
      const std::uintptr_t at = moved(user, i * stride);
      MPI_Count j = 0;
      for (; j + 4 <= count; j += 4, out += 4 * size.value) {
        copy_sized<Way>(moved(at, places[j]), out, size);
        copy_sized<Way>(moved(at, places[j + 1]), out + size.value, size);
        copy_sized<Way>(moved(at, places[j + 2]), out + 2 * size.value, size);
        copy_sized<Way>(moved(at, places[j + 3]), out + 3 * size.value, size);
      }
      for (; j < count; ++j, out += size.value) copy_sized<Way>(moved(at, places[j]), out, size);
    }
  });
}

// Blocks from a list, of different sizes.
template <class Way>
void sized_blocks(std::uintptr_t user, typename Way::Stream stream, MPI_Count copies, MPI_Aint stride,
                  const PlanPiece* pieces, MPI_Count count) {
  for (MPI_Count i = 0; i < copies; ++i) {
    const std::uintptr_t at = moved(user, i * stride);
    for (MPI_Count j = 0; j < count; ++j) {
      const auto bytes = static_cast<std::size_t>(pieces[j + 1].before - pieces[j].before);
      copy_block<Way>(moved(at, pieces[j].displacement), stream, bytes);
      stream += bytes;
    }
  }
}

}  // namespace cow::kernel

// What differs from one kind of processor to another.
#pragma once

#include <cstddef>

namespace cow {

// Between two looks at what another processor is about to write: less power, and the other thread of the core goes on.
inline void pause_processor() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");  // "yield" does nothing on most; this takes about as long as x86's pause
#endif
}

// Of the pages that kernels for this processor have, the largest: what starts at a multiple of it starts a page anywhere.
#if defined(__x86_64__) || defined(__i386__)
inline constexpr std::size_t largest_page = 4096;
#else
inline constexpr std::size_t largest_page = 65536;
#endif

}  // namespace cow

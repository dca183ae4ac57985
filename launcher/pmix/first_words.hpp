// What a rank says first to the PMIx server of its node, as far as gate.hpp must know it.
#pragma once

#include <cstddef>
#include <string_view>

namespace cow::launch {

enum class Greeting { incomplete, complete, nonsense };

//   greeting   i32 -1 | u32 ~0 | u64 size of the body | body, which contains the job's name and a zero behind it
// (all in this machine's order of bytes)
Greeting judge_greeting(std::string_view bytes, std::string_view job_name);

// How many bytes must be there before the beginning of a greeting can be judged further.
std::size_t greeting_size(std::string_view bytes);

inline constexpr std::size_t longest_greeting = 16 << 10;

}  // namespace cow::launch

// What a rank says first to the PMIx server of its node, as far as pmix_admission.hpp must know it.
#pragma once

#include <cstddef>
#include <string_view>

namespace cow::launch {

enum class FirstWords { incomplete, complete, nonsense };

//   greeting   i32 -1 | u32 ~0 | u64 size of the body | body, which contains the job's name and a zero behind it
// (all in this machine's order of bytes)
FirstWords judge_first_words(std::string_view bytes, std::string_view job_name);

// How many bytes must be there before the beginning of a greeting can be judged further.
std::size_t first_words_size(std::string_view bytes);

inline constexpr std::size_t longest_first_words = 16 << 10;

}  // namespace cow::launch

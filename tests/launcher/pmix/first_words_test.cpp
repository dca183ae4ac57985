#include "launcher/pmix/first_words.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

namespace cow::launch {
namespace {

std::string greeting_of(const std::string& body) {
  std::string out(8, '\xff');
  std::uint64_t size = body.size();
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  return out + body;
}

const std::string body = std::string("native\0\0\0\0\x08", 11) + std::string("cow-1-ab\0\0\0\0\x01", 13);

TEST(Greeting, IsCompleteWhenAllOfItIsThere) {
  const std::string bytes = greeting_of(body);
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_EQ(judge_first_words(std::string_view(bytes).substr(0, size), "cow-1-ab"), FirstWords::incomplete) << size;
    EXPECT_EQ(first_words_size(std::string_view(bytes).substr(0, size)), size < 16 ? 16 : bytes.size());
  }
  EXPECT_EQ(judge_first_words(bytes, "cow-1-ab"), FirstWords::complete);
  EXPECT_EQ(judge_first_words(bytes + "more", "cow-1-ab"), FirstWords::complete);
}

TEST(Greeting, OfAnotherJobOrOfNoneIsNonsense) {
  EXPECT_EQ(judge_first_words(greeting_of(body), "cow-1-a"), FirstWords::nonsense);
  EXPECT_EQ(judge_first_words(greeting_of(body), "cow-2-ab"), FirstWords::nonsense);
  EXPECT_EQ(judge_first_words(greeting_of(body), ""), FirstWords::nonsense);
  EXPECT_EQ(judge_first_words(greeting_of("cow-1-ab"), "cow-1-ab"), FirstWords::nonsense) << "no zero behind the name";
}

TEST(Greeting, OfAnImpossibleSizeIsNonsense) {
  std::string bytes = greeting_of(body);
  for (const std::uint64_t size : {std::uint64_t{longest_first_words}, std::uint64_t{1} << 32, ~std::uint64_t{0}}) {
    bytes.replace(8, 8, reinterpret_cast<const char*>(&size), 8);
    EXPECT_EQ(judge_first_words(bytes, "cow-1-ab"), FirstWords::nonsense);
  }
}

TEST(Greeting, GarbageIsNonsense) {
  EXPECT_EQ(judge_first_words("GET / HTTP/1.0\r\n\r\n", "cow-1-ab"), FirstWords::nonsense);
  EXPECT_EQ(judge_first_words(std::string(1, '\0'), "cow-1-ab"), FirstWords::nonsense);
  std::mt19937 random(3);
  for (int round = 0; round < 1000; ++round) {
    std::string bytes(1 + random() % 300, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    EXPECT_NE(judge_first_words(bytes, "cow-1-ab"), FirstWords::complete);
  }
}

}  // namespace
}  // namespace cow::launch

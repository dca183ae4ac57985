// Each kind of frame: comes back as it was sent, and is refused when a byte is missing or one too many.
#include "launcher/core/frames.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <tuple>

namespace cow::launch::frames {
namespace {

// One of each kind, with other values in all fields than those of a new one.
using Samples = std::tuple<Job, Input, OutputCredit, Signal, End, FenceAnswer, ModexQuestion, ModexAnswer, Event,
                           Goodbye, Hello, Started, StartFailure, Output, InputCredit, Connected, Exited, Aborted,
                           Fence, ModexRequest, Complaint, Bindings, Why, Watched, LostNode, RemoteWords>;

Samples samples() {
  constexpr std::string_view text("any\0 bytes", 10);
  constexpr std::uint64_t large = 0x0123456789abcdef;
  return {Job{1, text, {{"10.0.0.1", "fe80::1"}, 65535, 8s}},
          Input{text},
          OutputCredit{0xfffffffe},
          Signal{10},
          End{500ms},
          FenceAnswer{large, -25, text},
          ModexQuestion{large, 3, true},
          ModexAnswer{large, -46, text},
          Event{-101, 2, text},
          Goodbye{},
          Hello{protocol_version, 4711, text},
          Started{{{0, 17}, {1, 18}}},
          StartFailure{2, 13, text},
          Output{7, 2, true, text},
          InputCredit{65536},
          Connected{9},
          Exited{3, 0x0100, true, true},
          Aborted{4, -7, text},
          Fence{large, {1, 2, 5}, text},
          ModexRequest{large, 6, true},
          Complaint{text},
          Bindings{{{0, "bound to core 0"}, {1, ""}}},
          Why{5, text},
          Watched{},
          LostNode{125, text},
          RemoteWords{text}};
}

template <class Check>
void for_each_kind(Check check) {
  std::apply([&](const auto&... each) { (check(each), ...); }, samples());
}

// What hand_over() gives of a frame, when it is a `Content`.
template <class Content, class List>
std::optional<Content> taken(Kind kind, std::string_view body, List list) {
  std::optional<Content> out;
  hand_over({kind, 0, body}, list, [&]<class Other>(const Other& other) {
    if constexpr (std::is_same_v<Other, Content>) out = other;
  });
  return out;
}

template <class... Kinds>
std::set<Kind> kinds_of(List<Kinds...>) {
  return {Kinds::kind...};
}

TEST(Frames, AllKindsAreTriedHere) {
  std::set<Kind> known = kinds_of(ToAgents()), tried;
  known.merge(kinds_of(ToMpirun()));
  for_each_kind([&](const auto& content) { tried.insert(content.kind); });
  EXPECT_EQ(tried, known);
  EXPECT_EQ(tried.size(), std::tuple_size_v<Samples>);
}

TEST(Frames, ComeBackAsTheyWereSent) {
  for_each_kind([]<class Content>(const Content& content) {
    const std::string body = write_fields(content);
    const auto down = taken<Content>(Content::kind, body, ToAgents());
    const auto up = taken<Content>(Content::kind, body, ToMpirun());
    ASSERT_TRUE(down || up) << static_cast<int>(Content::kind);
    EXPECT_EQ(down ? *down : *up, content) << static_cast<int>(Content::kind);
    if (!body.empty()) {
      EXPECT_NE(content, Content{}) << static_cast<int>(Content::kind) << " is not tried with other values";
    }
  });
}

TEST(Frames, ThatAreCutAnywhereAreRefused) {
  for_each_kind([]<class Content>(const Content& content) {
    const std::string body = write_fields(content);
    for (std::size_t size = 0; size < body.size(); ++size) {
      Content out;
      EXPECT_FALSE(read_fields(std::string_view(body).substr(0, size), out))
          << static_cast<int>(Content::kind) << " " << size;
    }
  });
}

TEST(Frames, WithBytesBehindAreRefused) {
  for_each_kind([]<class Content>(const Content& content) {
    const std::string body = write_fields(content) + std::string(1, '\0');
    EXPECT_FALSE(taken<Content>(Content::kind, body, ToAgents())) << static_cast<int>(Content::kind);
    EXPECT_FALSE(taken<Content>(Content::kind, body, ToMpirun())) << static_cast<int>(Content::kind);
  });
}

TEST(Frames, OfUnknownKindAreRefused) {
  const auto nobody = [](const auto&) { FAIL(); };
  EXPECT_FALSE(hand_over({static_cast<Kind>(11), 0, {}}, ToAgents(), nobody));
  EXPECT_FALSE(hand_over({Kind::started, 0, write_fields(Started{})}, ToAgents(), nobody));
  EXPECT_FALSE(hand_over({Kind::job, 0, write_fields(Job{})}, ToMpirun(), nobody));
}

TEST(Frames, ABoolIsZeroOrOne) {
  std::string body = write_fields(ModexQuestion{1, 2, true});
  body.back() = 2;
  ModexQuestion out;
  EXPECT_FALSE(read_fields(body, out));
}

TEST(Frames, AListLongerThanItsBodyAllocatesNothing) {
  Started out;
  EXPECT_FALSE(read_fields("\xff\xff\xff\xff", out));
  EXPECT_TRUE(out.processes.empty());
}

}  // namespace
}  // namespace cow::launch::frames

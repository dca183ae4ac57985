#include "launcher/core/wire.hpp"

#include <gtest/gtest.h>

#include "launcher/core/fields.hpp"

namespace cow::launch {
namespace {

TEST(Wire, AListLongerThanItsBodyAllocatesNothing) {
  Writer body;
  body.u32(0xffffffff);
  Reader reader(body.bytes());
  std::vector<std::string> texts;
  get_field(reader, texts);
  EXPECT_TRUE(texts.empty());
  EXPECT_FALSE(reader.good());
}

TEST(Wire, ReadingBeyondTheEndGivesZeroAndStaysBad) {
  Reader reader("\x01\x02");
  EXPECT_EQ(reader.u32(), 0u);
  EXPECT_EQ(reader.u8(), 0u);
  EXPECT_FALSE(reader.good());
}

std::string make_frame(Kind kind, std::uint32_t node, std::string_view body) {
  std::string out;
  append_frame(out, {kind, node, body});
  return out;
}

TEST(Frames, AreFoundHoweverTheStreamIsCut) {
  const std::string stream = make_frame(Kind::output, 5, "abc") + make_frame(Kind::goodbye, everyone, "") +
                             make_frame(Kind::job, 0, std::string(100'000, 'x'));
  for (std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, stream.size()}) {
    FrameParser parser;
    std::vector<std::pair<Kind, std::size_t>> seen;
    std::vector<std::uint32_t> nodes;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      parser.feed(std::string_view(stream).substr(at, step));
      for (Frame frame; parser.next(frame);) {
        seen.emplace_back(frame.kind, frame.body.size());
        nodes.push_back(frame.node);
      }
    }
    const std::vector<std::pair<Kind, std::size_t>> expected{
        {Kind::output, 3}, {Kind::goodbye, 0}, {Kind::job, 100'000}};
    EXPECT_EQ(seen, expected) << step;
    EXPECT_EQ(nodes, (std::vector<std::uint32_t>{5, everyone, 0}));
    EXPECT_EQ(parser.waiting(), 0u);
  }
}

TEST(Frames, AHeaderThatMakesNoSenseEndsTheStream) {
  FrameParser parser;
  parser.feed(std::string("\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00", 12));
  Frame frame;
  EXPECT_FALSE(parser.next(frame));
  EXPECT_TRUE(parser.broken());
  parser.feed(make_frame(Kind::goodbye, everyone, ""));
  EXPECT_FALSE(parser.next(frame));

  FrameParser other;
  other.feed(std::string("\x00\x00\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00", 12));
  EXPECT_FALSE(other.next(frame));
  EXPECT_TRUE(other.broken());
}

}  // namespace
}  // namespace cow::launch

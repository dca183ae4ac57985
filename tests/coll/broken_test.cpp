// The examiner finds what is wrong with algorithms that are broken on purpose.
#include <gtest/gtest.h>

#include "coll/algorithms/all.hpp"
#include "coll/examine/machine.hpp"

namespace cow::coll {
namespace {

using Text = void (*)(Recorder&, const Args&);

std::string wrong_with(Text text, Collective collective, bool commutative = true, int size = 4) {
  const Algorithm algorithm{collective, "broken", [](const Problem&) { return true; }, [](Cost&, const Problem&) {},
                            text};
  const Case c{&algorithm, size, 3, 0, false, commutative, nullptr};
  return examine(c).wrong;
}

TEST(Examiner, AcceptsARightOne) { EXPECT_EQ(wrong_with(AllreduceDoubling::run<Recorder>, Collective::allreduce), ""); }

TEST(Examiner, FindsAMissingContribution) {
  const auto text = [](Recorder& v, const Args& a) {
    v.copy(a.recv, a.send, a.count);
    const Address in = v.scratch(a.count);
    v.exchange(v.rank() ^ 1, a.recv, a.count, v.rank() ^ 1, in, a.count);
    v.reduce(in, a.recv, a.count);
  };
  EXPECT_NE(wrong_with(text, Collective::allreduce).find("unit 0 of the result is wrong"), std::string::npos);
}

TEST(Examiner, FindsAContributionCountedTwice) {
  const auto text = [](Recorder& v, const Args& a) {
    AllreduceDoubling::run(v, a);
    v.reduce(a.send, a.recv, a.count);
  };
  EXPECT_NE(wrong_with(text, Collective::allreduce).find("wrong"), std::string::npos);
}

TEST(Examiner, FindsTheWrongOrderOnlyWhereItMatters) {
  EXPECT_EQ(wrong_with(AllreduceRing::run<Recorder>, Collective::allreduce, true), "");
  EXPECT_NE(wrong_with(AllreduceRing::run<Recorder>, Collective::allreduce, false).find("wrong"), std::string::npos);
}

TEST(Examiner, FindsAMissingResult) {
  EXPECT_NE(wrong_with([](Recorder&, const Args&) {}, Collective::bcast).find("missing"), std::string::npos);
}

TEST(Examiner, FindsADeadlockThatBufferingWouldHide) {
  const auto text = [](Recorder& v, const Args& a) {
    v.send((v.rank() + 1) % v.size(), a.send, a.count);
    v.recv((v.rank() + v.size() - 1) % v.size(), a.recv, a.count);
  };
  EXPECT_NE(wrong_with(text, Collective::allreduce).find("waits for ever"), std::string::npos);
}

TEST(Examiner, FindsMessagesOfDifferentLength) {
  const auto text = [](Recorder& v, const Args& a) {
    if (v.rank() == 0) v.send(1, a.recv, a.count);
    if (v.rank() == 1) v.recv(0, a.recv, a.count - 1);
  };
  EXPECT_NE(wrong_with(text, Collective::bcast).find("expects 2 units from rank 0, which sends 3"), std::string::npos);
}

TEST(Examiner, FindsUseOfWhatHasNotArrivedYet) {
  const auto text = [](Recorder& v, const Args& a) {
    v.copy(a.recv, a.send, a.count);
    const Address in = v.scratch(a.count);
    v.post_recv(v.rank() ^ 1, in, a.count);
    v.post_send(v.rank() ^ 1, a.send, a.count);
    v.reduce(in, a.recv, a.count);
    v.step();
  };
  EXPECT_NE(wrong_with(text, Collective::allreduce, true, 2).find("missing"), std::string::npos);
}

TEST(Examiner, FindsAPendingSendOverwritten) {
  const auto text = [](Recorder& v, const Args& a) {
    v.copy(a.recv, a.send, a.count);
    const Address in = v.scratch(a.count);
    v.post_recv(v.rank() ^ 1, in, a.count);
    v.post_send(v.rank() ^ 1, a.recv, a.count);
    v.reduce(a.send, a.recv, a.count);
    v.step();
  };
  EXPECT_NE(wrong_with(text, Collective::allreduce, true, 2).find("pending send"), std::string::npos);
}

TEST(Examiner, FindsWritingOutsideAndIntoTheSendBuffer) {
  const auto outside = [](Recorder& v, const Args& a) { v.copy(v.at(a.recv, 1), a.send, a.count); };
  EXPECT_NE(wrong_with(outside, Collective::allreduce).find("outside of its buffers"), std::string::npos);
  const auto into_send = [](Recorder& v, const Args& a) {
    AllreduceDoubling::run(v, a);
    v.copy(a.send, a.recv, a.count);
  };
  EXPECT_NE(wrong_with(into_send, Collective::allreduce).find("send buffer is changed"), std::string::npos);
}

}  // namespace
}  // namespace cow::coll

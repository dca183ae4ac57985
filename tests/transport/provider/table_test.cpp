// The table of providers says what a quick look at this machine's libfabric finds.
#include <gtest/gtest.h>

#include "provider/probe.hpp"

namespace cow::probe {
namespace {

class TableTest : public testing::TestWithParam<Provider> {};

TEST_P(TableTest, says_what_is_found) {
  const Provider& row = GetParam();
  const Findings found = examine(row, 1, true);
  if (found.opens == Verdict::no) GTEST_SKIP() << "not in this machine's libfabric";
  ASSERT_EQ(Verdict::yes, found.opens);
  const auto holds = [](bool claimed, Verdict verdict) { return !claimed || verdict == Verdict::yes; };
  EXPECT_TRUE(holds(row.multi_receive, found.multi_receive)) << to_text(found.multi_receive);
  EXPECT_TRUE(holds(row.garbage && row.ip, found.garbage)) << to_text(found.garbage);
  EXPECT_TRUE(holds(row.read, found.read)) << to_text(found.read);
  EXPECT_TRUE(holds(row.write, found.write)) << to_text(found.write);
  EXPECT_EQ(row.wait, found.wait);
  EXPECT_LE(found.memory_kib, row.memory_kib * 3 / 2);
  EXPECT_GE(found.memory_kib, row.memory_kib / 2);
}

INSTANTIATE_TEST_SUITE_P(providers, TableTest, testing::ValuesIn(transport::ofi::providers()), [](const auto& info) {
  std::string name = info.param.name;
  for (char& c : name) c = c == ';' ? '_' : c;
  return name;
});

}  // namespace
}  // namespace cow::probe

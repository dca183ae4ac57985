// The table of providers says what a quick look at this machine's libfabric finds.
#include <gtest/gtest.h>

#include <string>

#include "provider/probe.hpp"

namespace cow::probe {
namespace {

// Where the row claims what was not found; empty: nowhere.
std::string difference(const Provider& row, const Findings& found) {
  const auto contradicts = [](bool claimed, Verdict verdict) { return claimed && verdict != Verdict::yes; };
  std::string out;
  if (found.opens != Verdict::yes) out += std::string(" opens: ") + to_text(found.opens);
  if (contradicts(row.multi_receive, found.multi_receive))
    out += std::string(" multi_receive: ") + to_text(found.multi_receive);
  if (contradicts(row.garbage && row.ip, found.garbage)) out += std::string(" garbage: ") + to_text(found.garbage);
  if (contradicts(row.read, found.read)) out += std::string(" read: ") + to_text(found.read);
  if (contradicts(row.write, found.write)) out += std::string(" write: ") + to_text(found.write);
  if (row.wait != found.wait) out += " wait";
  if (found.memory_kib > row.memory_kib * 3 / 2 || found.memory_kib < row.memory_kib / 2)
    out += " memory: " + std::to_string(found.memory_kib) + " KiB";
  return out;
}

class TableTest : public testing::TestWithParam<Provider> {};

// The look has limits of time (a message that wakes nobody within two seconds was slept through), which a machine that others
// keep busy may exceed; what is wrong in the table is wrong each time.
TEST_P(TableTest, says_what_is_found) {
  constexpr int looks = 3;
  std::string wrong;
  for (int look = 0; look < looks; ++look) {
    const Findings found = examine(GetParam(), 1, true);
    if (found.opens == Verdict::no) GTEST_SKIP() << "not in this machine's libfabric";
    const std::string now = difference(GetParam(), found);
    if (now.empty()) return;
    wrong += "\n " + now;
  }
  FAIL() << "in each of " << looks << " looks:" << wrong;
}

INSTANTIATE_TEST_SUITE_P(providers, TableTest, testing::ValuesIn(transport::ofi::providers()), [](const auto& info) {
  std::string name = info.param.name;
  for (char& c : name) c = c == ';' ? '_' : c;
  return name;
});

}  // namespace
}  // namespace cow::probe

#include "base/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> read(std::initializer_list<const char*> variables, Settings& out, bool unknown_too = false) {
  std::vector<const char*> environment(variables);
  environment.push_back(nullptr);
  return read_settings(environment.data(), unknown_too, out);
}

TEST(Settings, DefaultsAreWellFormed) {
  Settings set;
  EXPECT_THAT(read({}, set), IsEmpty());
  EXPECT_EQ(set.provider, "auto");
  EXPECT_EQ(set.eager_limit, 16000);
  EXPECT_EQ(set.checks, "yes");
}

TEST(Settings, UnitsAreUnderstood) {
  Settings set;
  EXPECT_THAT(read({"COW_EAGER_WINDOW=2M", "COW_ADDRESS_TIMEOUT=3s", "COW_CHECKS=no", "COW_EAGER_LIMIT=4K"}, set),
              IsEmpty());
  EXPECT_EQ(set.eager_window, 2 << 20);
  EXPECT_EQ(set.address_timeout, 3000);
  EXPECT_EQ(set.checks, "no");
  EXPECT_EQ(set.eager_limit, 4096);
}

TEST(Settings, MalformedValuesAreNamedAndTheDefaultStays) {
  for (const char* variable : {"COW_EAGER_LIMIT=many", "COW_EAGER_LIMIT=-1", "COW_EAGER_LIMIT=1T", "COW_EAGER_LIMIT=",
                               "COW_EAGER_LIMIT=99999999999999999999", "COW_EAGER_LIMIT=9999999999999G",
                               "COW_CHECKS=maybe", "COW_LEAKS=maybe", "COW_WAIT=slep"}) {
    Settings set;
    EXPECT_THAT(read({variable}, set), ElementsAre(HasSubstr(variable))) << variable;
    EXPECT_EQ(set.eager_limit, 16000);
  }
}

TEST(Settings, AWrongChoiceGetsTheNearest) {
  Settings set;
  EXPECT_THAT(read({"COW_WAIT=slep"}, set), ElementsAre(HasSubstr("did you mean sleep?")));
}

TEST(Settings, UnknownNamesGetTheNearest) {
  Settings set;
  EXPECT_THAT(read({"COW_PROVIDR=net"}, set, true), ElementsAre(HasSubstr("did you mean COW_PROVIDER?")));
  EXPECT_THAT(read({"COW_PROVIDR=net"}, set, false), IsEmpty());
  EXPECT_THAT(read({"COWBOY=1", "MY_COW_X=1", "COW_KEY_FD=3"}, set, true), IsEmpty());
}

TEST(Settings, TheListTellsWhereAValueComesFrom) {
  const char* environment[] = {"COW_WAIT=spin", nullptr};
  bool seen = false;
  for (const SettingInfo& info : list_settings(environment)) {
    EXPECT_NE(std::string(info.meaning), "");
    EXPECT_EQ(std::string(info.origin), info.name == std::string("COW_WAIT") ? "environment" : "default");
    if (info.name == std::string("COW_WAIT")) {
      EXPECT_EQ(info.value, "spin");
      seen = true;
    }
  }
  EXPECT_TRUE(seen);
}

}  // namespace
}  // namespace cow

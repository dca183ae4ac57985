// Info through the C functions.
#include <cstring>

#include "refuse.hpp"

namespace cow::test {
namespace {

using InfoCalls = Returning;

std::string value_of(MPI_Info info, const char* key) {
  char value[MPI_MAX_INFO_VAL + 1];
  int flag = 0, length = sizeof value;
  EXPECT_OK(MPI_Info_get_string(info, key, &length, value, &flag));
  if (!flag) return "(none)";
  EXPECT_EQ(static_cast<std::size_t>(length), strlen(value) + 1);
  return value;
}

TEST_F(InfoCalls, KeepKeysInOrder) {
  MPI_Info info;
  ASSERT_OK(MPI_Info_create(&info));
  for (const char* key : {"b", "a", "c"}) ASSERT_OK(MPI_Info_set(info, key, key));
  ASSERT_OK(MPI_Info_set(info, "a", "changed"));
  int keys;
  char key[MPI_MAX_INFO_KEY];
  ASSERT_OK(MPI_Info_get_nkeys(info, &keys));
  ASSERT_EQ(keys, 3);
  const char* expected[] = {"b", "a", "c"};
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK(MPI_Info_get_nthkey(info, i, key));
    EXPECT_STREQ(key, expected[i]);
  }
  EXPECT_EQ(value_of(info, "a"), "changed");
  MPI_Info copy;
  ASSERT_OK(MPI_Info_dup(info, &copy));
  ASSERT_OK(MPI_Info_delete(info, "b"));
  ASSERT_OK(MPI_Info_get_nthkey(info, 0, key));
  EXPECT_STREQ(key, "a");
  EXPECT_EQ(value_of(info, "b"), "(none)");
  EXPECT_EQ(value_of(copy, "b"), "b");
  ASSERT_OK(MPI_Info_free(&info));
  EXPECT_EQ(info, MPI_INFO_NULL);
  ASSERT_OK(MPI_Info_free(&copy));
}

TEST_F(InfoCalls, TruncateValues) {
  MPI_Info info;
  ASSERT_OK(MPI_Info_create(&info));
  ASSERT_OK(MPI_Info_set(info, "key", "0123456789"));
  char value[16] = "untouched";
  int flag, length = 0;
  ASSERT_OK(MPI_Info_get_string(info, "key", &length, nullptr, &flag));
  EXPECT_EQ(length, 11);
  length = 4;
  ASSERT_OK(MPI_Info_get_string(info, "key", &length, value, &flag));
  EXPECT_STREQ(value, "012");
  EXPECT_EQ(length, 11);
  ASSERT_OK(MPI_Info_get(info, "key", 3, value, &flag));
  EXPECT_STREQ(value, "012");
  ASSERT_OK(MPI_Info_get(info, "key", 12, value, &flag));
  EXPECT_STREQ(value, "0123456789");
  ASSERT_OK(MPI_Info_get(info, "other", 12, value, &flag));
  EXPECT_EQ(flag, 0);
  ASSERT_OK(MPI_Info_get_valuelen(info, "key", &length, &flag));
  EXPECT_EQ(length, 10);
  ASSERT_OK(MPI_Info_get_valuelen(info, "other", &length, &flag));
  EXPECT_EQ(flag, 0);
  ASSERT_OK(MPI_Info_free(&info));
}

TEST_F(InfoCalls, OfTheStart) {
  EXPECT_NE(value_of(MPI_INFO_ENV, "command"), "(none)");
  EXPECT_NE(value_of(MPI_INFO_ENV, "wdir"), "(none)");
  EXPECT_NE(value_of(MPI_INFO_ENV, "arch"), "(none)");
  MPI_Info env = MPI_INFO_ENV;
  EXPECT_REFUSED(MPI_ERR_INFO, MPI_Info_set(env, "command", "x"));
  EXPECT_REFUSED(MPI_ERR_INFO, MPI_Info_delete(env, "command"));
  EXPECT_REFUSED(MPI_ERR_INFO, MPI_Info_free(&env));
  MPI_Info info;
  char program[] = "program", argument[] = "-x", other[] = "y";
  char* argv[] = {program, argument, other, nullptr};
  ASSERT_OK(MPI_Info_create_env(3, argv, &info));
  EXPECT_EQ(value_of(info, "command"), "program");
  EXPECT_EQ(value_of(info, "argv"), "-x y");
  EXPECT_OK(MPI_Info_set(info, "mine", "1"));
  ASSERT_OK(MPI_Info_free(&info));
  ASSERT_OK(MPI_Info_create_env(0, nullptr, &info));
  EXPECT_EQ(value_of(info, "command"), value_of(MPI_INFO_ENV, "command"));
  ASSERT_OK(MPI_Info_free(&info));
}

TEST_F(InfoCalls, AreRefused) {
  MPI_Info info;
  ASSERT_OK(MPI_Info_create(&info));
  const std::string long_key(MPI_MAX_INFO_KEY, 'k'), long_value(MPI_MAX_INFO_VAL, 'v');
  char key[MPI_MAX_INFO_KEY], value[8];
  int number, flag, length = 8;
  EXPECT_REFUSED(MPI_ERR_INFO_KEY, MPI_Info_set(info, long_key.c_str(), "x"));
  EXPECT_REFUSED(MPI_ERR_INFO_KEY, MPI_Info_set(info, "", "x"));
  EXPECT_REFUSED(MPI_ERR_INFO_VALUE, MPI_Info_set(info, "x", long_value.c_str()));
  EXPECT_OK(MPI_Info_set(info, long_key.c_str() + 1, long_value.c_str() + 1));
  EXPECT_REFUSED(MPI_ERR_INFO_NOKEY, MPI_Info_delete(info, "missing"));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Info_get_nthkey(info, 1, key));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Info_get_nthkey(info, -1, key));
  EXPECT_REFUSED(MPI_ERR_ARG, MPI_Info_set(info, nullptr, "x"));
  EXPECT_REFUSED(MPI_ERR_INFO, MPI_Info_set(MPI_INFO_NULL, "x", "x"));
  EXPECT_REFUSED(MPI_ERR_INFO, MPI_Info_get_nkeys(made_up<MPI_Info>(), &number));
  EXPECT_REFUSED(MPI_ERR_INFO, MPI_Info_get_string(MPI_INFO_NULL, "x", &length, value, &flag));
  EXPECT_REFUSED(MPI_ERR_INFO, MPI_Info_get_valuelen(MPI_INFO_NULL, "x", &length, &flag));
  EXPECT_REFUSED(MPI_ERR_INFO, MPI_Info_get(MPI_INFO_NULL, "x", 3, value, &flag));
  MPI_Info freed = info, out;
  ASSERT_OK(MPI_Info_free(&info));
  EXPECT_REFUSED(MPI_ERR_INFO, MPI_Info_dup(freed, &out));
  EXPECT_REFUSED(MPI_ERR_INFO, MPI_Info_free(&info));
}

}  // namespace
}  // namespace cow::test

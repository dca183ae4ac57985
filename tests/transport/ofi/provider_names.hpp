// The providers that the tests of ports run over.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace cow::test {

inline constexpr const char* provider_names[] = {"net", "tcp;ofi_rxm", "sockets", "shm", "udp;ofi_rxd"};

// GoogleTest takes letters, digits and underscores only.
inline std::string name_of_provider(const testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  for (char& c : name) c = c == ';' ? '_' : c;
  return name;
}

}  // namespace cow::test

// Which resources a binding is confined to, on imagined machines.
#include "runtime/hardware.hpp"

#include <gtest/gtest.h>
#include <hwloc.h>

#include <map>

namespace cow::runtime {
namespace {

class Machine {
 public:
  explicit Machine(const char* description) {
    hwloc_topology_init(&topology_);
    hwloc_topology_set_synthetic(topology_, description);
    hwloc_topology_load(topology_);
  }
  ~Machine() { hwloc_topology_destroy(topology_); }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  std::map<std::string, int> levels(const char* processors) const {
    hwloc_bitmap_t set = hwloc_bitmap_alloc();
    hwloc_bitmap_list_sscanf(set, processors);
    std::map<std::string, int> out;
    for (const HardwareLevel& level : hardware_levels(topology_, set)) out[level.type] = level.instance;
    hwloc_bitmap_free(set);
    return out;
  }

 private:
  hwloc_topology_t topology_ = nullptr;
};

TEST(Hardware, ABindingIsConfinedToWhatHoldsAllOfIt) {
  const Machine machine("package:2 numa:2 l3:1 core:4 pu:2");
  const auto wide = machine.levels("0-15");  // the first package
  EXPECT_EQ(wide.at("hwloc://Machine"), 0);
  EXPECT_EQ(wide.at("hwloc://Package"), 0);
  EXPECT_EQ(wide.at("hwloc://NUMANode"), -1);
  EXPECT_EQ(wide.at("hwloc://Core"), -1);
  const auto numa = machine.levels("24-31");
  EXPECT_EQ(numa.at("hwloc://Package"), 1);
  EXPECT_EQ(numa.at("hwloc://NUMANode"), 3);
  EXPECT_EQ(numa.at("hwloc://L3Cache"), 3);
  const auto core = machine.levels("2-3");
  EXPECT_EQ(core.at("hwloc://Core"), 1);
  EXPECT_EQ(core.at("hwloc://PU"), -1);
  EXPECT_EQ(machine.levels("5").at("hwloc://PU"), 5);
}

TEST(Hardware, UnboundAndOddMachines) {
  const Machine small("core:3 pu:1");
  const auto all = small.levels("0-2");
  EXPECT_EQ(all.at("hwloc://Core"), -1);
  EXPECT_EQ(all.at("hwloc://Machine"), 0);
  EXPECT_EQ(all.count("hwloc://L3Cache"), 0u) << "there is none";
  EXPECT_EQ(small.levels("").at("hwloc://Machine"), -1);
  EXPECT_EQ(small.levels("0,2").at("hwloc://Core"), -1);
}

TEST(Hardware, OfThisMachine) {
  for (const HardwareLevel& level : hardware_levels()) EXPECT_EQ(level.type.rfind("hwloc://", 0), 0u);
}

}  // namespace
}  // namespace cow::runtime

// The beginning of a device's text for the fake device: numbers of tests/unit/device_names.hpp, and the threads, blocks
// and shared memory of a launch as the fake driver tells them.
#include "../../unit/device_names.hpp"

struct fake_index {
  unsigned x, y, z;
};

extern "C" {
struct fake_grid {
  fake_index thread, block, block_size, grid_size;
  void (*barrier)();
  void *shared;
} fake_grid_of_module;
}

#define threadIdx fake_grid_of_module.thread
#define blockIdx fake_grid_of_module.block
#define blockDim fake_grid_of_module.block_size
#define gridDim fake_grid_of_module.grid_size
#define __syncthreads() fake_grid_of_module.barrier()

#undef EACH_LANE
#define EACH_LANE                                                                                                      \
  for (u64 lane = (u64)blockIdx.x * blockDim.x + threadIdx.x; lane < nx * ny * nz; lane += (u64)gridDim.x * blockDim.x)

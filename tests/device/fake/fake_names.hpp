// The beginning of a device's text for the fake device: numbers and shared memory of tests/unit/device_names.hpp, and
// the threads and blocks of a launch as the fake driver tells them.
#include "../../unit/device_names.hpp"

struct fake_index {
  unsigned x, y, z;
};

extern "C" {
struct fake_grid {
  fake_index thread, block, block_size, grid_size;
  void (*barrier)();
} fake_grid_of_module;
}

#define threadIdx fake_grid_of_module.thread
#define blockIdx fake_grid_of_module.block
#define blockDim fake_grid_of_module.block_size
#define gridDim fake_grid_of_module.grid_size
#define __syncthreads() fake_grid_of_module.barrier()

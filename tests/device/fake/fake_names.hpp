// The beginning of a device's text for the fake device: numbers and shared memory of tests/unit/device_names.hpp, the
// threads and blocks of a launch as the fake driver tells them, and of each kernel what the driver needs to call it.
#include "../../unit/device_names.hpp"

#include <utility>

struct fake_index {
  unsigned x, y, z;
};

struct fake_parameter {
  size_t bytes;
  bool is_pointer;
};

extern "C" {
struct fake_grid {
  fake_index thread, block, block_size, grid_size;
  void (*barrier)();
} fake_grid_of_module;

struct fake_function {
  size_t count;
  const fake_parameter *parameters;
  bool waits;
  void (*call)(void **values);
};
}

template <class... Types> struct fake_call {
  static constexpr fake_parameter parameters[] = {{sizeof(Types), std::is_pointer_v<Types>}..., {0, false}};
  template <void (*function)(Types...), size_t... i> static void each(void **values, std::index_sequence<i...>)
  {
    function(*(Types *)values[i]...);
  }
  template <void (*function)(Types...)> static void call(void **values)
  {
    each<function>(values, std::index_sequence_for<Types...>());
  }
};
template <class... Types> static fake_call<Types...> fake_call_of(void (*)(Types...));

#define FAKE_KERNEL(name, waits, ...) \
  extern "C" void name(__VA_ARGS__); \
  extern "C" const fake_function fake_##name = {sizeof decltype(fake_call_of(name))::parameters / sizeof(fake_parameter) - 1, \
                                                decltype(fake_call_of(name))::parameters, waits, \
                                                decltype(fake_call_of(name))::call<name>}; \
  extern "C" void name(__VA_ARGS__)
#undef KERNEL
#define KERNEL(name) \
  FAKE_KERNEL(name, false, const void *const *bases, void *out, const i64 *offsets, const i64 *strides, u64 nx, u64 ny, \
              u64 nz, void *scratch)
#define SCIENCE_KERNEL(name, ...) FAKE_KERNEL(name, true, __VA_ARGS__)
#define __device__ static inline
#define __forceinline__
#define __shared__ static

#define threadIdx fake_grid_of_module.thread
#define blockIdx fake_grid_of_module.block
#define blockDim fake_grid_of_module.block_size
#define gridDim fake_grid_of_module.grid_size
#define __syncthreads() fake_grid_of_module.barrier()

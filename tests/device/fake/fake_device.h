/* A device that is none: what stands behind the CUDA driver and the NVRTC of the tests.
 *
 * It runs kernels on the CPU, and is stricter than a card. Streams do nothing until somebody waits for them, and then
 * only what he waits for: what was not ordered is not done. Memory of the device ends at a page that cannot be touched,
 * and stays so when it is freed. What a program may not do ends it with a message that begins "fake device:".
 *
 *   TWINCUBE_FAKE_DEVICES  how many there are, 1
 *   TWINCUBE_FAKE_MEMORY   bytes of each, 1 GiB
 *   TWINCUBE_FAKE_REFUSE   bytes of an allocation for which there is no room
 *   TWINCUBE_FAKE_FAIL     "cuMemAlloc_v2:3:2,…": the third call gives error 2; another than 2 is the device's end
 *   TWINCUBE_FAKE_TEXTS    a folder that gets each text which is compiled
 *   TWINCUBE_FAKE_REPORT   a file that gets, at the end, a line `name value` for each count */
#ifndef TWINCUBE_TESTS_DEVICE_FAKE_H
#define TWINCUBE_TESTS_DEVICE_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAKE_SHARED = 48 * 1024 }; /* bytes of a block: as much as tests/unit/device_names.hpp has */
enum { FAKE_DEVICES = 8, FAKE_OUT_OF_MEMORY = 2, FAKE_INVALID = 1, FAKE_LOST = 719 };

struct fake_image { /* before the library that the compiler made */
  char magic[8];    /* "FAKEDEV" */
  uint64_t bytes;
  int architecture;
  bool barriers; /* threads of a block may wait for each other */
};

struct fake_index {
  unsigned x, y, z;
};

struct fake_grid { /* what a kernel sees of its launch */
  struct fake_index thread, block, block_size, grid_size;
  void (*barrier)(void);
};

enum { FAKE_PARAMETERS = 24, FAKE_PARAMETER_BYTES = 64 };

struct fake_parameter {
  size_t bytes;
  bool is_pointer;
};

struct fake_function { /* what fake_names.hpp says of a kernel */
  size_t count;
  const struct fake_parameter *parameters;
  bool waits; /* its threads may wait for each other even without dynamic shared memory */
  void (*call)(void **values);
};

union fake_value {
  unsigned char bytes[FAKE_PARAMETER_BYTES];
  uint64_t address;
  long double aligned;
};

struct fake_launch {
  const struct fake_function *function;
  struct fake_grid *grid; /* of the module */
  bool barriers;          /* threads of a block wait for each other */
  struct fake_index blocks, threads;
  union fake_value values[FAKE_PARAMETERS];
};

_Noreturn void fake_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* fake_grid.c: block by block, thread by thread. */
void fake_run(const struct fake_launch *launch);

/* fake_memory.c: of the devices, and what is pinned of the host's. */
uint64_t fake_alloc(int device, size_t bytes); /* 0: full */
void fake_free(uint64_t address);
int fake_device_of(uint64_t address, size_t bytes); /* that has all of it; else the program ends */
bool fake_pin(void *data, size_t bytes);
bool fake_unpin(void *data);
bool fake_is_pinned(const void *data, size_t bytes);
bool fake_touches_pinned(const void *data);
size_t fake_used(int device, bool most);
size_t fake_left_behind(void); /* allocations and pins */
size_t fake_memory_size(void);

#endif

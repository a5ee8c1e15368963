/* A variant on one part of a region: where its loads and stores lie. For kernel_stage.c. */
#ifndef TWINCUBE_HPC_STAGE_KERNEL_PLACE_H
#define TWINCUBE_HPC_STAGE_KERNEL_PLACE_H

#include "hpc/stage/kernel_stage.h"

struct device_work;
struct device_room { /* memory of a device */
  uint64_t address;
  size_t bytes;
};

struct filled_input { /* elements of an input, and what they are */
  struct room room;
  const unsigned char *elements; /* the room's; or the kept result's own, which `strides` are then of */
  size_t bytes;                  /* of the elements; known where there is a device */
  bool is_pinned;                /* for a device, which then copies faster */
  bool is_copied;                /* the device has the elements, at `address` */
  uint64_t address;              /* `copy`, or a kept result's that stays there */
  struct device_room copy;       /* on the device */
  bool filled;                   /* room holds `region` of `stage` */
  size_t stage;
  struct region region; /* its lists belong to the plan */
  size_t strides[CUBE_MAX_DIMENSIONS];
};

struct kernel_state {
  struct filled_input *inputs;
  size_t input_count;
  struct kernel_step *steps; /* the variant's steps with offsets of the part in work */
  ptrdiff_t *offsets;        /* memory of the steps' offsets */
  const void **bases;        /* one per load */
  struct room scratch;
  struct room inner;        /* elements of a window's input inside the edges */
  struct device_work *work; /* kernel_device.h: where a device does it; or NULL */
};

struct placing { /* one variant on one part of a region */
  struct tile_worker *worker;
  const struct stage *stage;
  struct kernel_state *state;
  const struct variant *variant;
  const struct region *region; /* FIXED dimensions have count 1 */
  const size_t *out_stride;
  unsigned char *out; /* element (0, 0, …) of the region */
  size_t size;        /* bytes of an output element */
};

struct running { /* one running dimension of the output */
  size_t dimension, count;
};

/* Chooses the lanes: the last running dimension (or the longest, where the last is short), joined with those before it
 * while memory is even. The rest are outer loops. Returns the number of lanes. */
size_t place_lanes(const struct placing *p, size_t *lane_dimension, struct running *outer, size_t *outer_count);
/* Copies the steps and fills in the offsets and lane strides of this part. */
void place_steps(const struct placing *p, size_t lane_dimension);
/* Elements from one index of an output dimension to the next, of a LOAD or STORE step. */
ptrdiff_t place_stride(const struct placing *p, size_t step, size_t dimension);
/* Address of position (0, …) of each load, then moved by the outer loops' position. */
void place_bases(const struct placing *p, const struct running *outer, size_t count, const size_t *position);

/* Makes room for the elements of an input. */
int place_room(const struct placing *p, struct filled_input *input, size_t bytes, struct error *error);

/* Input i with what lies beyond the edges by the windows' border rules: border.c. inside: the region within them. */
int fill_window(const struct placing *p, size_t i, const struct region *inside, struct error *error);

#endif

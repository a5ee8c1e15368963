/* Whole arrays one after another: see frame_stage.c. */
#ifndef TWINCUBE_HPC_STAGE_FRAME_STAGE_H
#define TWINCUBE_HPC_STAGE_FRAME_STAGE_H

#include "hpc/device/science_kernel.h"
#include "hpc/stage/stage.h"

enum { FRAME_MAX_INPUTS = 4 };

struct frame_job {                      /* one frame of the output, to be made */
  const void *inputs[FRAME_MAX_INPUTS]; /* elements of each input's frame, dense, in its cube's type */
  const size_t *at;                     /* its numbers along the leading dimensions of the output */
  void *output;                         /* elements of the frame, dense, in the output's type */
  void *work;                           /* what open gave */
  void *device;                         /* what the devices' open gave: compute there; NULL: by the CPU */
  unsigned threads;                     /* that it may use */
  const volatile int *cancel;           /* becomes nonzero when nobody wants it any more; or NULL */
};

/* For frames that devices can compute, too, with the same bits. What a device fails to do is asked of the CPU again. */
struct frame_device_ops {
  int (*check)(const void *data, struct error *why); /* -1: why they do not */
  double (*rough)(const void *data);                 /* seconds of a frame on one thread of the CPU, roughly */
  /* Seconds of a frame, of what differs: on one thread, on the device. By a trial, so some time passes. */
  int (*measure)(const void *data, struct science *science, double seconds[2], struct error *why);
  int (*open)(const void *data, struct science *science, void **device, struct error *why); /* for one worker */
  void (*close)(void *device); /* before the workspace is */
};

struct frame_ops {
  const char *name; /* EXPLAIN */
  /* Bytes of a worker's workspace; NULL: it needs none, open and close are not called. */
  size_t (*bytes)(const void *data);
  int (*open)(const void *data, void **work, struct error *error);
  /* The same bits for any number of threads. Long work looks at cancel (frame_cancelled). */
  int (*compute)(const void *data, const struct frame_job *job, struct error *error);
  void (*close)(void *work);
  const struct frame_device_ops *device; /* or NULL */
};

struct frames {
  const struct frame_ops *ops;
  const void *data; /* the kind's own; in the arena */
  struct hash hash; /* of all that data says */
  /* Dimensions of the output from 0 on that number frames; the others are the frame's own. */
  size_t leading;
  /* Of each input: the leading dimension of the output that a dimension of it is (of the same size), or NO_DIMENSION:
   * it is the frame's. An input may lack leading dimensions: all frames along them read the same. */
  int to_output[FRAME_MAX_INPUTS][CUBE_MAX_DIMENSIONS];
  bool reduces;               /* a frame of the output is far smaller than what it is made from */
  const char *note;           /* for EXPLAIN, behind the rest; or NULL */
  const volatile int *cancel; /* as in frame_job; lives as long as the plan */
};

/* The node of such a cube. All given is borrowed and lives in the arena. NULL when out of memory. */
const struct node *node_frames(struct arena *arena, struct node_origin origin, const struct cube *cube,
                               const struct node *const *inputs, size_t count, const struct frames *frames);

/* RequestTimeout where the job is no longer wanted. */
int frame_cancelled(const struct frame_job *job, struct error *error);

extern const struct stage_ops frame_stage, frame_reduce_stage;

/* The frames of a stage of this kind; else NULL. */
static inline const struct frames *frames_of(const struct stage *stage)
{
  return stage->ops == &frame_stage || stage->ops == &frame_reduce_stage ? (const struct frames *)stage->data : NULL;
}

#endif

/* Devices that run kernels beside the CPU, which is the reference.
 *
 * A process has one `struct devices`: what may be used, as its options say. Nothing is opened before the first
 * question, so a process may fork until then. Each device has queues: what one worker orders in its queue is done in
 * that order, while the worker goes on. A device that fails is lost: its queues refuse from then on, and who used them
 * goes on by the CPU. The functions of the table may be called by any thread, those of one queue by one at a time. */
#ifndef TWINCUBE_HPC_DEVICE_DEVICE_H
#define TWINCUBE_HPC_DEVICE_DEVICE_H

#include "datacube/base/error.h"
#include "hpc/device/device_text.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- what may be used -------------------------------------------------------------------------------------------- */

enum device_kind { DEVICE_AUTO, DEVICE_CPU, DEVICE_CUDA };

struct device_options {
  enum device_kind kind; /* AUTO: devices where they pay; CUDA: wherever they can; CPU: never */
  int number;            /* of the only device that is used; -1: all */
  size_t memory;         /* bytes of each device; 0: four fifths of what is free */
  const char *folder;    /* where compiled kernels and measured speeds are kept; or NULL */
  const char *beside;    /* another one, where they are only looked for; or NULL */
};

/* "auto", "cpu", "cuda", "cuda:1". 0 or -1. */
int device_choice_read(const char *text, struct device_options *out);

/* ---- a device ---------------------------------------------------------------------------------------------------- */

struct device;
struct device_queue;

struct device_facts {
  char name[96];
  int number;          /* as the driver counts */
  int architecture;    /* 10 * major + minor capability */
  int multiprocessors; /* as the driver counts */
  int driver;          /* version: 1000 * major + 10 * minor */
  size_t memory;       /* bytes */
};

struct device_shape { /* of a launch */
  unsigned threads, parts, blocks;
  unsigned shared_bytes; /* of a block */
  size_t scratch_bytes;  /* of all */
};

struct device_grid { /* of any launch; along x, y, z */
  unsigned blocks[3], threads[3];
  unsigned shared_bytes; /* dynamic, of a block */
};

struct device_run { /* a launch of a kernel of device_text.h: addresses are the device's */
  void *function;
  struct device_shape shape;
  uint64_t bases, out, offsets, strides, scratch;
  uint64_t lanes[3]; /* along x, y, z */
};

struct device_ops {
  /* Makes the device ready: its context, and the bytes that are free. */
  int (*open)(struct device *device, size_t *available, struct error *error);
  void (*close)(struct device *device);
  /* A module from the compiler's image, to be unloaded; and a function of it, by name. */
  int (*load)(struct device *device, const void *image, void **module, struct error *error);
  void (*unload)(struct device *device, void *module);
  int (*function)(struct device *device, void *module, const char *name, void **out, struct error *error);
  int (*queue_new)(struct device *device, struct device_queue **out, struct error *error);
  void (*queue_free)(struct device_queue *queue); /* waits for what is under way */
  int (*alloc)(struct device *device, size_t bytes, uint64_t *out, struct error *error);
  void (*release)(struct device *device, uint64_t address);
  /* Memory of the host that copies go faster from and to, where the system allows it. */
  bool (*pin)(struct device_queue *queue, void *data, size_t bytes);
  void (*unpin)(struct device_queue *queue, void *data);
  int (*to_device)(struct device_queue *queue, uint64_t to, const void *from, size_t bytes, struct error *error);
  int (*to_host)(struct device_queue *queue, void *to, uint64_t from, size_t bytes, struct error *error);
  /* parameters[i] points to the function's parameter i, which is read at once. */
  int (*launch)(struct device_queue *queue, void *function, const struct device_grid *grid, void **parameters,
                struct error *error);
  /* Remembers this place of the queue; waits until all before the place is done. */
  int (*mark)(struct device_queue *queue, struct error *error);
  int (*await_mark)(struct device_queue *queue, struct error *error);
  int (*sync)(struct device_queue *queue, struct error *error);
};

struct device_module;

struct device { /* the head of what a kind of device has */
  const struct device_ops *ops;
  struct devices *all;
  struct device_facts facts;
  size_t limit;           /* bytes that queues may take together */
  atomic_size_t used;     /* … and have taken */
  atomic_size_t resident; /* of these, copies that stay: residents.h */
  atomic_bool lost, told; /* it has failed; the log has been told */
  bool opened;            /* under `lock`, as what follows */
  struct error refused;   /* why it does not open, or "" */
  struct device_module *modules;
  pthread_mutex_t lock;
};

struct device_queue { /* likewise */
  struct device *device;
};

/* How that many lanes of a kernel are best launched. */
struct device_shape device_shape(const struct device *device, const struct device_launch *needs, uint64_t lanes);
int device_run(struct device_queue *queue, const struct device_run *run, struct error *error);
/* Opened at its first use. -1 where it is lost or does not open. */
int device_open(struct device *device, struct error *error);
/* Bytes within the device's limit; error ProcessGraphComplexity where it has no room for them. */
int device_alloc(struct device *device, size_t bytes, uint64_t *out, struct error *error);
void device_release(struct device *device, uint64_t address, size_t bytes);
/* Tells the log, once a device, that and why the CPU goes on in its place. */
void device_complain(struct device *device, const struct error *error);

/* ---- all of them ------------------------------------------------------------------------------------------------- */

struct device_compiler;

/* Opens nothing. Copies the options. */
int devices_new(const struct device_options *options, struct devices **out, struct error *error);
void devices_free(struct devices *devices); /* NULL is allowed */
const struct device_options *devices_options(const struct devices *devices);
/* How many there are. Where there is none, or no compiler for them, 0 and the reason. */
size_t devices_count(struct devices *devices, struct error *why);
/* The devices themselves, usable or not: for lists. NULL behind the last. */
struct device *devices_at(struct devices *devices, size_t index);
/* One after the other, so that workers share them; NULL: none that is not lost. */
struct device *devices_next(struct devices *devices);
const struct device_compiler *devices_compiler(const struct devices *devices);

/* cuda_device.c: the devices that its driver has, or only the one of that number (-1: all). Error FeatureUnsupported
 * where there is none. The list and its devices are the caller's. */
int cuda_devices(int number, struct device ***out, size_t *count, struct error *error);

#endif

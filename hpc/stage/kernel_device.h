/* A kernel stage's work on a device: inputs are copied there, the kernels run over them, the region comes back.
 *
 * A worker orders all parts of a region one after the other in a queue of its own and waits once, at the region's end;
 * while the device works on a part, the worker fills the inputs of the next one. What fails on the device is remembered
 * and leaves the rest undone: the region is then filled by the CPU, from the same inputs. */
#ifndef TWINCUBE_HPC_STAGE_KERNEL_DEVICE_H
#define TWINCUBE_HPC_STAGE_KERNEL_DEVICE_H

#include "hpc/stage/kernel_place.h"

/* For a worker's state of the stage. NULL where the CPU does it; the log has been told why, if it is a failure. */
struct device_work *device_work_new(struct devices *devices, const struct stage *stage);
/* Waits for what is under way, and frees what inputs have on the device. */
void device_work_free(struct device_work *work, struct filled_input *inputs, size_t count);

/* Begins a region of so many bytes at `data`; false: the CPU must fill it. */
bool device_work_begin(struct device_work *work, void *data, size_t bytes);
/* Room of an input, which the device copies from fast. Waits until what it held is copied. */
int device_work_room(struct device_work *work, struct filled_input *input, size_t bytes, struct error *error);
/* Input i of a part from what stays on the device of a kept result: nothing is filled. region: of the kept cube, within
 * its edges. false: it does not stay there, or is asked for in another order, or beyond its edges. */
bool device_work_take_kept(const struct placing *p, size_t i, const struct region *region);
/* Orders one part, whose inputs are filled. */
void device_work_run(struct device_work *work, struct placing *p);
bool device_work_failed(const struct device_work *work);
/* Waits for the region. false: the CPU must fill it. */
bool device_work_end(struct device_work *work);

#endif

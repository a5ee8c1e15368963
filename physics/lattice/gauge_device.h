/* A gauge field that lives on a device: heat bath, over-relaxation, kicks and drifts of molecular dynamics, the flow.
 *
 * Each does what the function of the same name does on the CPU, with the same bits: the kernels take the same numbers
 * from Philox and add in the same order, and everything that they use (+ - * / and square roots, no fused operations)
 * is rounded correctly on both. For 1 to 3 colours, in two dimensions or more.
 * Thread rule: as struct science, of which one thread at a time orders. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_DEVICE_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_DEVICE_H

#include "hpc/device/science_kernel.h"
#include "physics/lattice/gauge_action.h"
#include "physics/lattice/gauge_flow.h"
#include "physics/random/philox.h"

struct gauge_device;

/* Copies the links; the lattice is borrowed. Error FeatureUnsupported for more colours, or one dimension. */
int gauge_device_new(struct science *science, const struct gauge_field *field, struct gauge_device **out,
                     struct error *error);
/* 0, or -1 with that error. */
int gauge_device_check(size_t colours, size_t dimensions, struct error *error);
void gauge_device_free(struct gauge_device *device); /* NULL is allowed */
/* Other links, of the same lattice and colours. */
int gauge_device_put(struct gauge_device *device, const struct gauge_field *field, struct error *error);
/* The links as they are now, into a field of the same kind. */
int gauge_device_take(struct gauge_device *device, struct gauge_field *field, struct error *error);

/* gauge_heatbath.h. */
int gauge_device_heatbath(struct gauge_device *device, const struct gauge_action *action, struct philox_stream stream,
                          struct error *error);
int gauge_device_overrelax(struct gauge_device *device, const struct gauge_action *action, struct error *error);

/* Momenta, in the links' layout; gauge_action_kick and gauge_momentum_drift with them. */
int gauge_device_put_momentum(struct gauge_device *device, const double *momentum, struct error *error);
int gauge_device_take_momentum(struct gauge_device *device, double *momentum, struct error *error);
int gauge_device_kick(struct gauge_device *device, const struct gauge_action *action, double time, struct error *error);
int gauge_device_drift(struct gauge_device *device, double time, struct error *error);

/* gauge_flow_on; momenta are lost. Where *cancel (may be NULL) becomes nonzero it stops on the way and sets *done to
 * false. */
int gauge_device_flow(struct gauge_device *device, struct gauge_flow *flow, double time, const volatile int *cancel,
                      bool *done, struct error *error);

/* Seconds of a step of the flow of such a field on one thread of the CPU, and on the device with the links' way there
 * and back: measured on lattices of few sites and scaled. */
int gauge_device_try_flow(struct science *science, const struct lattice *lattice, size_t colours, double seconds[2],
                          struct error *error);

#endif

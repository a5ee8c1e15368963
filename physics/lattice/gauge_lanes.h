/* What sweeps and molecular dynamics do with ranges of blocks: for lattice_run, each in doubles and, for narrow fields
 * (gauge_field.h), in floats. The bodies are one text for both: gauge_heatbath.inc, gauge_kick.inc, gauge_momentum.inc.
 * Momenta are in the type of the field's links. */
#ifndef TWINCUBE_PHYSICS_LATTICE_GAUGE_LANES_H
#define TWINCUBE_PHYSICS_LATTICE_GAUGE_LANES_H

#include "physics/lattice/exact_sum.h"
#include "physics/lattice/gauge_action.h"
#include "physics/random/philox.h"

struct link_sweep {
  struct gauge_field *field;
  const struct gauge_action *action; /* NULL: reunitarise */
  struct philox_stream stream;
  bool reflect; /* over-relaxation */
  size_t mu;
  bool far; /* the field is larger than caches: neighbours are asked for ahead */
};

struct kick_task {
  const struct gauge_field *field;
  const struct gauge_action *action;
  void *momentum;
  double time;
};

struct momentum_task {
  const struct gauge_field *field;
  void *momentum;
  struct philox_stream stream;
  double time;
  struct exact_sum sum; /* of squares */
};

lattice_task gauge_sweep_f64, gauge_sweep_f32;         /* link_sweep: heat bath or over-relaxation */
lattice_task gauge_unitarise_f64, gauge_unitarise_f32; /* link_sweep */
lattice_task gauge_kick_f64, gauge_kick_f32;           /* kick_task */
lattice_task gauge_draw_f64, gauge_draw_f32;           /* momentum_task: new momenta */
lattice_task gauge_kinetic_f64, gauge_kinetic_f32;     /* momentum_task: adds to its sum */
lattice_task gauge_drift_f64, gauge_drift_f32;         /* momentum_task */

/* That of the field's type. */
#define GAUGE_TASK(field, name) ((field)->narrow != NULL ? name##_f32 : name##_f64)

#endif

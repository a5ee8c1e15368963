/* A fit's model as a struct of the module: its kernel's loops, between the parameters and the values. */
#include "hpc/device/device_writer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int device_model_steps(const struct kernel_step *fit, struct kernel *out, struct error *error)
{
  *out = fit->curve->model;
  struct kernel_step *steps = calloc(out->step_count + 1, sizeof *steps);
  if (!steps)
    return error_memory(error);
  memcpy(steps, out->steps, out->step_count * sizeof *steps);
  steps[out->step_count - 1].blocks = fit->n;
  out->steps = steps;
  return 0;
}

size_t device_fit_bytes(const struct kernel_step *fit)
{
  const size_t values = fit->n > DEVICE_NEAR ? fit->n : 0, slopes = (fit->parameter_count - 1) * (size_t)fit->n;
  return (2 * values + (slopes > DEVICE_NEAR ? slopes : 0)) * sizeof(double);
}

int device_write_model(struct device_writer *w, size_t index, struct error *error)
{
  const struct kernel_step *fit = &w->kernel->steps[index];
  struct kernel model;
  char name[128];
  if (device_model_steps(fit, &model, error) != 0)
    return -1;
  snprintf(name, sizeof name, "%s_m%zu", w->name, index);
  struct device_writer own = {.kernel = &model, .name = name, .out = w->out, .is_model = true};
  int status = device_loops_find(&model, w->loops.work + device_fit_bytes(fit), &own.loops, error);
  if (status == 0) {
    status = device_write_tables(&own, error);
    buffer_printf(
        w->out, "struct %s {\n  template <class P, class V> static MEMBER void values(P p, V to, void *scratch)\n  {\n",
        name);
    device_write_loops(&own);
    buffer_text(w->out, "  }\n};\n");
    device_loops_free(&own.loops);
  }
  free((void *)(uintptr_t)model.steps);
  return status;
}

/* The module of a whole plan. */
#include "hpc/device/device_text.h"
#include "hpc/plan/plan_internal.h"
#include "hpc/stage/kernel_stage.h"

#include <stdio.h>

static int write_variant(const struct kernel *kernel, const char *name, struct buffer *out, struct error *error)
{
  struct error why = {0};
  struct device_launch launch;
  if (device_text_kernel(kernel, name, out, &launch, &why) == 0) {
    buffer_printf(out, "// %s: up to %zu threads a lane, %zu bytes of shared and %zu of global memory a thread\n\n",
                  name, launch.parts, launch.shared_bytes, launch.scratch_bytes);
    return 0;
  }
  if (strcmp(why.code, "FeatureUnsupported") != 0) {
    *error = why;
    return -1;
  }
  buffer_printf(out, "// %s does not run on a device: %s\n\n", name, why.message);
  return 0;
}

int device_text_plan(const struct plan *plan, struct buffer *out, struct error *error)
{
  device_text_begin(out);
  for (size_t s = 0; s < plan->stage_count; s++) {
    const struct kernel_stage *stage = kernel_stage_of(&plan->stages[s]);
    for (size_t v = 0; stage && v < stage->variant_count; v++) {
      char name[64];
      snprintf(name, sizeof name, "s%zu_v%zu", s, v);
      if (write_variant(&stage->variants[v].kernel, name, out, error) != 0)
        return -1;
    }
  }
  return out->failed ? error_memory(error) : 0;
}

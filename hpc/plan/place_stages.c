/* Where kernels run. A stage goes to the devices where these can run its kernels and, unless the user wants them
 * whatever it takes, where that takes less time than on the CPU. */
#include "hpc/plan/plan_internal.h"

#include "hpc/device/device_kernels.h"
#include "hpc/stage/kernel_stage.h"

/* A chain is read once, forward: what a device fails to do could not be done again. */
static bool reads_chain(const struct plan *plan, const struct stage *stage, const bool *chained)
{
  const struct source *source = stage->ops == &source_stage ? node_source_of(stage->node) : NULL;
  bool found = source && source->sequential;
  (void)plan;
  for (size_t i = 0; i < stage->input_count; i++)
    found = found || chained[stage->inputs[i]->stage];
  return found;
}

static int check_kernels(const struct kernel_stage *stage, struct error *why)
{
  struct buffer text = {0};
  int status = 0;
  if (stage->variant_count > DEVICE_MODULE_KERNELS)
    return error_set(why, ERROR_FeatureUnsupported, "%zu kernels are more than a device takes", stage->variant_count);
  for (size_t v = 0; v < stage->variant_count && status == 0; v++) {
    struct device_launch launch;
    status = device_text_kernel(&stage->variants[v].kernel, "kernel", &text, &launch, why);
    text.length = 0;
  }
  buffer_free(&text);
  return status;
}

static int place_stage(struct arena *arena, struct plan *plan, struct stage *stage, bool is_chained,
                       struct error *error)
{
  struct error why = {0};
  const struct device_options *options = devices_options(plan->devices);
  if (options->kind == DEVICE_CPU)
    error_set(&why, ERROR_FeatureUnsupported, "the CPU alone is to be used");
  else if (is_chained)
    error_set(&why, ERROR_FeatureUnsupported, "it reads a chain, in order");
  else if (check_kernels(stage->data, &why) == 0 && devices_count(plan->devices, &why) > 0)
    stage->on_device = true;
  stage->place = stage->on_device ? "on a device" : arena_printf(arena, "on the CPU: %s", why.message);
  return stage->place ? 0 : error_memory(error);
}

int plan_place_stages(struct arena *arena, struct plan *plan, struct error *error)
{
  bool *chained = plan->devices ? ARENA_ARRAY(arena, bool, plan->stage_count) : NULL;
  if (!plan->devices)
    return 0;
  if (!chained)
    return error_memory(error);
  for (size_t s = 0; s < plan->stage_count; s++) {
    struct stage *stage = &plan->stages[s];
    chained[s] = reads_chain(plan, stage, chained);
    if (kernel_stage_of(stage) && place_stage(arena, plan, stage, chained[s], error) != 0)
      return -1;
    stage->awaits_device = stage->on_device;
    for (size_t i = 0; i < stage->input_count; i++)
      stage->awaits_device = stage->awaits_device || plan->stages[stage->inputs[i]->stage].awaits_device;
  }
  return 0;
}

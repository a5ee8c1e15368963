/* Where kernels run. A stage goes to the devices where these can run its kernels and, unless the user wants them
 * whatever it takes, where that takes less time than on the CPU.
 *
 * Estimates: the CPU's threads share a stage's values; on devices, copies and kernels of different tiles go on at once,
 * so the longest of them counts. Several devices take tiles as they get done with them: what each does in a second adds
 * up, by its own speeds. What a device needs before its first kernel is added. Frames are tried in small where they
 * take so long that the compiler's seconds do not matter. */
#include "hpc/plan/plan_internal.h"

#include "hpc/device/device_kernels.h"
#include "hpc/device/device_speeds.h"
#include "hpc/device/residents.h"
#include "hpc/stage/frame_stage.h"
#include "hpc/stage/kernel_stage.h"

#include <math.h>
#include <stdio.h>

static const double worth_asking = 0.3;    /* seconds on the CPU below which no device is looked for */
static const double device_start = 0.6;    /* seconds: context, compiler or file, first copies */
static const double launch_lanes = 262144; /* of a tile, about */
static const double worth_a_trial = 20;    /* seconds on the CPU below which frames are not tried on a device */

/* ---- estimates --------------------------------------------------------------------------------------------------- */

struct stage_work { /* of all the stage's elements */
  double values[WORK_KINDS];
  double bytes_in, bytes_out, launches;
};

/* Lanes of a variant, and the shape of the part of the output that it makes. */
static double variant_lanes(const struct stage *stage, size_t *count)
{
  double lanes = 1;
  for (size_t d = 0; d < stage->cube->dimensions; d++) {
    count[d] = stage->mode[d] == MODE_FIXED ? 1 : stage->cube->dimension[d].size;
    lanes *= stage->mode[d] == MODE_OUT ? (double)count[d] : 1;
  }
  return lanes;
}

static struct stage_work find_work(const struct plan *plan, const struct stage *stage)
{
  const struct kernel_stage *data = stage->data;
  struct stage_work work = {.bytes_out = (double)cube_bytes(stage->cube)};
  size_t count[CUBE_MAX_DIMENSIONS] = {0}, in[CUBE_MAX_DIMENSIONS];
  const double lanes = variant_lanes(stage, count), shared = data->group > 1 ? (double)data->group : 1;
  for (size_t v = 0; v < data->variant_count; v++) {
    const struct variant *variant = &data->variants[v];
    double values[WORK_KINDS] = {0};
    kernel_work(&variant->kernel, values);
    for (size_t k = 0; k < WORK_KINDS; k++)
      work.values[k] += lanes * values[k];
    for (size_t i = 0; i < variant->input_count; i++) {
      const struct cube *cube = plan->stages[variant->inputs[i].stage].cube;
      input_counts(&variant->inputs[i], cube, count, in);
      work.bytes_in += (double)cube_part_bytes(cube, in) / shared;
    }
    work.launches += ceil(lanes / launch_lanes);
  }
  return work;
}

static double weighed(const double *values, const double *seconds)
{
  double sum = 0;
  for (size_t k = 0; k < WORK_KINDS; k++)
    sum += values[k] * seconds[k];
  return sum;
}

/* Without its start. */
static double on_device(const struct stage_work *work, const struct device_speeds *speeds)
{
  const double in = work->bytes_in / speeds->to_device, out = work->bytes_out / speeds->to_host,
               kernels = weighed(work->values, speeds->device) + work->launches * speeds->launch;
  return fmax(fmax(in, out), kernels);
}

/* ---- decisions --------------------------------------------------------------------------------------------------- */

/* A chain is read once, forward: what a device's kernels fail to do could not be done again. */
static bool reads_chain(const struct stage *stage, const bool *chained)
{
  const struct source *source = stage->ops == &source_stage ? node_source_of(stage->node) : NULL;
  bool found = source && source->sequential;
  for (size_t i = 0; i < stage->input_count; i++)
    found = found || chained[stage->inputs[i]->stage];
  return found;
}

static const struct frame_device_ops *frame_devices(const struct stage *stage)
{
  const struct frames *frames = frames_of(stage);
  return frames ? frames->ops->device : NULL;
}

/* Whether devices run the kernels, or compute the frames. */
static int check_stage(const struct stage *of, struct error *why)
{
  const struct kernel_stage *stage = kernel_stage_of(of);
  if (!stage)
    return frame_devices(of)->check(frames_of(of)->data, why);
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

/* The stage's estimates. Devices are opened, and measured where that has not been done; why: none of them can be. */
static int estimate(const struct plan *plan, struct stage *stage, const struct stage_work *work, size_t *devices,
                    struct error *why)
{
  struct device_speeds speeds;
  struct device *device;
  double per_second = 0;
  *devices = 0;
  for (size_t i = 0; (device = devices_at(plan->devices, i)); i++) {
    struct error own = {0};
    if (device_open(device, &own) != 0 || device_speeds(device, &speeds, &own) != 0) {
      *why = own;
      continue;
    }
    per_second += 1 / on_device(work, &speeds);
    if ((*devices)++ == 0)
      stage->cpu_seconds = weighed(work->values, speeds.cpu) / plan->threads;
  }
  stage->device_seconds = device_start + 1 / per_second;
  return *devices > 0 ? 0 : -1;
}

static const char *tell_faster(struct arena *arena, struct stage *stage, const char *devices)
{
  stage->on_device = stage->device_seconds < stage->cpu_seconds;
  return arena_printf(arena, "on %s: about %.2g s; on %s %.2g s", stage->on_device ? devices : "the CPU",
                      stage->on_device ? stage->device_seconds : stage->cpu_seconds,
                      stage->on_device ? "the CPU" : devices,
                      stage->on_device ? stage->cpu_seconds : stage->device_seconds);
}

static const char *compare_frames(struct arena *arena, struct plan *plan, struct stage *stage, struct error *why)
{
  const struct frames *frames = frames_of(stage);
  const struct frame_device_ops *ops = frame_devices(stage);
  struct science *science;
  double count = 1, seconds[2];
  for (size_t d = 0; d < frames->leading; d++)
    count *= (double)stage->cube->dimension[d].size;
  const double rough = count * ops->rough(frames->data) / plan->threads;
  if (rough < worth_a_trial)
    return arena_printf(arena, "on the CPU: about %.2g s, too little for a device", rough);
  if (ops->check(frames->data, why) != 0 || science_open(plan->devices, &science, why) != 0)
    return NULL;
  const int status = ops->measure(frames->data, science, seconds, why);
  science_close(science);
  if (status != 0)
    return NULL;
  stage->cpu_seconds = count * seconds[0] / plan->threads;
  stage->device_seconds = device_start + count * seconds[1];
  return tell_faster(arena, stage, "the device");
}

static const char *compare(struct arena *arena, struct plan *plan, struct stage *stage, struct error *why)
{
  const struct stage_work work = find_work(plan, stage);
  const double rough = weighed(work.values, rough_cpu) / plan->threads;
  size_t count;
  char devices[32] = "the device";
  if (rough < worth_asking)
    return arena_printf(arena, "on the CPU: about %.2g s, too little for a device", rough);
  if (devices_count(plan->devices, why) == 0 || check_stage(stage, why) != 0 ||
      estimate(plan, stage, &work, &count, why) != 0)
    return NULL;
  if (count > 1)
    snprintf(devices, sizeof devices, "%zu devices", count);
  return tell_faster(arena, stage, devices);
}

static const char *insist(struct plan *plan, struct stage *stage, struct error *why)
{
  stage->on_device = check_stage(stage, why) == 0 && devices_count(plan->devices, why) > 0;
  return stage->on_device ? "on the device, as is asked for" : NULL;
}

static int place_stage(struct arena *arena, struct plan *plan, struct stage *stage, bool is_chained,
                       struct error *error)
{
  struct error why = {0};
  const enum device_kind kind = devices_options(plan->devices)->kind;
  if (kind == DEVICE_CPU)
    stage->place = "on the CPU, as is asked for";
  else if (is_chained && kernel_stage_of(stage))
    stage->place = "on the CPU: it reads a chain, in order";
  else
    stage->place = kind == DEVICE_CUDA      ? insist(plan, stage, &why)
                   : kernel_stage_of(stage) ? compare(arena, plan, stage, &why)
                                            : compare_frames(arena, plan, stage, &why);
  if (!stage->place)
    stage->place = arena_printf(arena, "on the CPU: %s", why.message);
  return stage->place ? 0 : error_memory(error);
}

/* What a device that reads the kept result will do; the first device stands for all. */
static const char *place_copy(struct arena *arena, struct devices *devices, const struct keep *keep)
{
  struct error ignored = {0};
  struct device *device = devices_at(devices, 0);
  if (device_open(device, &ignored) != 0)
    return NULL;
  if (resident_fits(device, cube_bytes(keep->cube)))
    return "a copy stays on the device";
  return arena_printf(arena, "copied to the device tile by tile: half of %zu bytes have no room for it", device->limit);
}

static void place_inputs(struct arena *arena, struct plan *plan, const struct stage *stage)
{
  for (size_t i = 0; i < stage->input_count; i++) {
    struct keep *keep = (struct keep *)(uintptr_t)stage_keep(plan, &plan->stages[stage->inputs[i]->stage]);
    if (keep && !keep->given && !keep->on_device)
      keep->on_device = place_copy(arena, plan->devices, keep);
  }
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
    chained[s] = reads_chain(stage, chained);
    if ((kernel_stage_of(stage) || frame_devices(stage)) && place_stage(arena, plan, stage, chained[s], error) != 0)
      return -1;
    stage->awaits_device = stage->on_device && kernel_stage_of(stage);
    if (stage->awaits_device)
      place_inputs(arena, plan, stage);
    for (size_t i = 0; i < stage->input_count; i++)
      stage->awaits_device = stage->awaits_device || plan->stages[stage->inputs[i]->stage].awaits_device;
  }
  return 0;
}

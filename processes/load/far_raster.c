#include "processes/load/far_raster.h"

#include "datacube/source/raster_series.h"

struct bands {
  struct raster_scene *scenes;
  const char **names;
  struct band_info *infos;
};

static int name_bands(struct arena *arena, const struct elsewhere_part *part, const struct raster_file *raster,
                      struct bands *out, struct error *error)
{
  const size_t due = part->band_count > 0 ? part->band_count : 1;
  const bool is_described = raster_file_is_described(raster);
  if (raster->band_count != due)
    return error_set(error, ERROR_FileContentInvalid, "it has %zu bands where %zu are due", raster->band_count, due);
  out->names = ARENA_ARRAY(arena, const char *, due);
  if (!out->names)
    return error_memory(error);
  for (size_t i = 0; i < due; i++)
    out->names[i] = is_described ? raster->bands[i].description : part->band_count > 0 ? part->bands[i] : "result";
  return 0;
}

static int fill_scenes(struct arena *arena, const char *path, const struct raster_file *raster, struct bands *out,
                       struct error *error)
{
  out->scenes = ARENA_ARRAY(arena, struct raster_scene, raster->band_count);
  out->infos = ARENA_ARRAY(arena, struct band_info, raster->band_count);
  if (!out->scenes || !out->infos)
    return error_memory(error);
  for (size_t i = 0; i < raster->band_count; i++) {
    const struct raster_file_band *band = &raster->bands[i];
    out->infos[i] = (struct band_info){.scale = band->scale, .offset = band->offset, .unit = band->unit};
    out->scenes[i] = (struct raster_scene){.path = path,
                                           .raster_band = (int)i + 1,
                                           .band = i,
                                           .grid = raster->grid,
                                           .type = band->type,
                                           .has_nodata = band->has_nodata,
                                           .nodata = band->nodata,
                                           .masked = band->masked,
                                           .scale = band->scale,
                                           .offset = band->offset};
  }
  return 0;
}

int far_raster_source(struct arena *arena, const struct far_raster *file, const struct source **out,
                      struct error *error)
{
  struct raster_file raster;
  struct bands bands = {0};
  if (raster_file_inspect(arena, file->path, &raster, error) != 0 ||
      name_bands(arena, file->part, &raster, &bands, error) != 0 ||
      fill_scenes(arena, file->path, &raster, &bands, error) != 0)
    return -1;
  const struct raster_series series = {.date_count = 1,
                                       .bands = bands.names,
                                       .band_info = bands.infos,
                                       .band_count = raster.band_count,
                                       .scenes = bands.scenes,
                                       .scene_count = raster.band_count,
                                       .grid = raster.grid,
                                       .method = RESAMPLE_NEAREST,
                                       .title = file->title,
                                       .origin = file->origin};
  return raster_series_source(arena, &series, out, error);
}

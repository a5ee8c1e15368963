#include "hpc/device/speeds_file.h"

#include "datacube/base/hash.h"
#include "hpc/device/whole_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NUMBERS = sizeof(struct device_speeds) / sizeof(double) };

/* In the order of struct device_speeds. */
static const char *const names[NUMBERS] = {"to_device_bytes_per_second",
                                           "to_host_bytes_per_second",
                                           "launch_seconds",
                                           "device_memory",
                                           "device_plain",
                                           "device_dear",
                                           "device_reduce",
                                           "device_order",
                                           "cpu_memory",
                                           "cpu_plain",
                                           "cpu_dear",
                                           "cpu_reduce",
                                           "cpu_order"};

static void path_of(const char *folder, const struct device *device, char out[WHOLE_FILE_PATH])
{
  struct hash hash = {0, 0};
  hash_text(&hash, device->facts.name);
  hash_word(&hash, (uint64_t)device->facts.driver);
  hash_word(&hash, (uint64_t)device->facts.architecture);
  snprintf(out, WHOLE_FILE_PATH, "%.1000s/speeds-%016" PRIx64 ".txt", folder, hash.a);
}

static bool take_line(char *line, double *numbers)
{
  char *space = strchr(line, ' ');
  if (!space)
    return false;
  *space = '\0';
  for (size_t i = 0; i < NUMBERS; i++)
    if (strcmp(names[i], line) == 0) {
      numbers[i] = strtod(space + 1, NULL);
      return true;
    }
  return false;
}

/* Every number is there, and positive. */
static bool read_file(const char *folder, const struct device *device, struct device_speeds *out)
{
  char path[WHOLE_FILE_PATH], line[128];
  double numbers[NUMBERS] = {0};
  size_t taken = 0;
  if (!folder)
    return false;
  path_of(folder, device, path);
  FILE *file = fopen(path, "re");
  while (file && fgets(line, sizeof line, file))
    taken += take_line(line, numbers);
  if (file)
    fclose(file);
  for (size_t i = 0; i < NUMBERS; i++)
    if (!(numbers[i] > 0))
      return false;
  memcpy(out, numbers, sizeof *out);
  return taken == NUMBERS;
}

bool speeds_file_read(const struct device *device, struct device_speeds *out)
{
  const struct device_options *options = devices_options(device->all);
  return read_file(options->folder, device, out) || read_file(options->beside, device, out);
}

void speeds_file_write(const struct device *device, const struct device_speeds *speeds)
{
  char path[WHOLE_FILE_PATH];
  struct whole_file file;
  double numbers[NUMBERS];
  const char *folder = devices_options(device->all)->folder;
  if (!folder)
    return;
  mkdir(folder, 0700);
  path_of(folder, device, path);
  if (!whole_file_open(path, &file))
    return;
  memcpy(numbers, speeds, sizeof numbers);
  fprintf(file.stream, "device %s\n", device->facts.name);
  for (size_t i = 0; i < NUMBERS; i++)
    fprintf(file.stream, "%s %.6g\n", names[i], numbers[i]);
  whole_file_close(&file);
}

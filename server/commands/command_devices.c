/* twincube devices: what kernels may run on beside the CPU, and why not. */
#include "server/commands/command.h"

#include "hpc/device/device.h"
#include "hpc/device/device_compiler.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

static const char help_text[] =
    "twincube devices - list what computes beside the CPU\n\n"
    "Usage\n"
    "  twincube devices [OPTION]...\n\n"
    "Prints a line for each CUDA device, as --device of run, explain and serve names it, and the compiler of kernels;\n"
    "or why there is none. The driver (libcuda.so.1) and NVRTC are looked for where the system has its libraries;\n"
    "TWINCUBE_NVRTC names another libnvrtc.so.\n\n"
    "Options\n"
    "  --json       as JSON\n"
    "  -h, --help   this text\n\n"
    "Exit status\n"
    "  0 success, whether there are devices or not; 1 failure, 2 wrong usage\n";

static void print_text(struct devices *devices, const struct error *why)
{
  const struct device_compiler *compiler = devices_compiler(devices);
  const struct device *device;
  for (size_t i = 0; (device = devices_at(devices, i)); i++) {
    const struct device_facts *facts = &device->facts;
    printf("cuda:%d  %s, capability %d.%d, %d multiprocessors, %.1f GiB, driver for CUDA %d.%d\n", facts->number,
           facts->name, facts->architecture / 10, facts->architecture % 10, facts->multiprocessors,
           (double)facts->memory / (1 << 30), facts->driver / 1000, facts->driver % 1000 / 10);
  }
  if (error_is_set(why))
    printf("everything is computed by the CPU: %s\n", why->message);
  else
    printf("kernels are compiled by NVRTC %d.%d\n", compiler->major, compiler->minor);
}

static void write_device(struct json_writer *w, const struct device_facts *facts)
{
  json_write_object(w);
  json_kv_integer(w, "number", facts->number);
  json_kv_string(w, "name", facts->name);
  json_kv_number(w, "capability", facts->architecture / 10.0);
  json_kv_integer(w, "multiprocessors", facts->multiprocessors);
  json_kv_integer(w, "memory", (int64_t)facts->memory);
  json_kv_number(w, "driver", facts->driver / 1000 + facts->driver % 1000 / 100.0);
  json_end_object(w);
}

static void print_json(struct devices *devices, const struct error *why)
{
  const struct device_compiler *compiler = devices_compiler(devices);
  struct buffer out = {0};
  struct json_writer w = {.out = &out, .pretty = true};
  json_write_object(&w);
  json_key(&w, "devices");
  json_write_array(&w);
  for (size_t i = 0; devices_at(devices, i); i++)
    write_device(&w, &devices_at(devices, i)->facts);
  json_end_array(&w);
  json_kv_bool(&w, "usable", !error_is_set(why));
  if (error_is_set(why))
    json_kv_string(&w, "why_not", why->message);
  else
    json_kv_number(&w, "nvrtc", compiler->major + compiler->minor / 10.0);
  json_end_object(&w);
  printf("%s\n", out.data ? out.data : "");
  buffer_free(&out);
}

static int list_devices(bool as_json)
{
  const struct device_options options = {.number = -1};
  struct devices *devices;
  struct error error = {0}, why = {0};
  if (devices_new(&options, &devices, &error) != 0)
    return command_fail(&error);
  devices_count(devices, &why);
  (as_json ? print_json : print_text)(devices, &why);
  devices_free(devices);
  return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_OK : EXIT_FAILED;
}

int command_devices(int argc, char **argv)
{
  static const struct option options[] = {
      {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
  bool as_json = false;
  int option;
  opterr = 0;
  while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
    if (option == 'h') {
      fputs(help_text, stdout);
      return EXIT_OK;
    }
    if (option != 'j')
      return command_option_usage("devices", argv);
    as_json = true;
  }
  return optind == argc ? list_devices(as_json) : command_usage("devices", "it takes no argument");
}

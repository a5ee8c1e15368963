/* Options and inputs of run and explain. */
#include "server/commands/command_graph.h"

#include "server/commands/command.h"
#include "server/commands/data_dir.h"
#include "server/fetch/fetch_here.h"
#include "server/udf/udf_here.h"

#include "processes/local_files.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t remote_bytes = UINT64_C(8) << 30; /* that are kept of other hosts' files while a graph runs */

static int add_parameter(struct graph_arguments *arguments, const char *command, char *text)
{
  char *equals = strchr(text, '=');
  if (equals == NULL || equals == text)
    return command_usage(command, "--parameter wants NAME=JSON, not '%s'", text);
  if (arguments->parameter_count == GRAPH_ARGUMENTS_MAX_PARAMETERS)
    return command_usage(command, "more than %d parameters", GRAPH_ARGUMENTS_MAX_PARAMETERS);
  *equals = '\0';
  arguments->parameters[arguments->parameter_count++] = (struct graph_parameter){.name = text, .json = equals + 1};
  return -1;
}

static int add_remote(struct graph_arguments *arguments, const char *command, const char *prefix)
{
  struct error error = {0};
  return account_settings_add_prefix(&arguments->remotes, prefix, &error) == 0
             ? -1
             : command_usage(command, "--remote: %s", error.message);
}

static int add_accounts(struct graph_arguments *arguments, const char *command, const char *file)
{
  struct error error = {0};
  if (account_settings_add_file(&arguments->remotes, file, &error) == 0)
    return -1;
  return command_usage(command, "--remote-accounts: %s", error.message);
}

static int take_option(struct graph_arguments *out, const char *command, int option, char **argv)
{
  char *value = optarg;
  switch (option) {
  case 'o':
    out->output = value;
    return -1;
  case 'd':
    out->data = value;
    return -1;
  case 'f':
    out->files = value;
    return -1;
  case 'u':
    out->udf_python = value;
    return -1;
  case 'w':
    out->workspaces = value;
    return -1;
  case 'p':
    return add_parameter(out, command, value);
  case 'r':
    return add_remote(out, command, value);
  case 'a':
    return add_accounts(out, command, value);
  case 'm':
    if (command_size(value, &out->memory) != 0)
      return command_usage(command, "--memory wants a size such as 512M, not '%s'", value);
    return -1;
  case 't':
    if (command_integer(value, 1, 4096, &out->threads) != 0)
      return command_usage(command, "--threads wants a number from 1 to 4096, not '%s'", value);
    return -1;
  case 'D':
    if (device_choice_read(value, &out->device) != 0)
      return command_usage(command, "--device wants auto, cpu, cuda or cuda:N, not '%s'", value);
    return -1;
  case 'M':
    if (command_size(value, &out->device.memory) != 0)
      return command_usage(command, "--device-memory wants a size such as 4G, not '%s'", value);
    return -1;
  case 'e':
    out->official = strcmp(value, "official") == 0;
    if (!out->official && strcmp(value, "json") != 0)
      return command_usage(command, "--encoding wants json or official, not '%s'", value);
    return -1;
  case 'j':
  case 'c':
    out->explain = option == 'j' ? EXPLAIN_JSON : EXPLAIN_CUDA;
    return strcmp(command, "explain") == 0 ? -1 : command_option_usage(command, argv);
  case 'R':
    out->alone = strcmp(value, "off") == 0;
    if (!out->alone && strcmp(value, "auto") != 0)
      return command_usage(command, "--ranks wants auto or off, not '%s'", value);
    return strcmp(command, "run") == 0 ? -1 : command_option_usage(command, argv);
  case 'v':
    out->verbose = true;
    return strcmp(command, "run") == 0 ? -1 : command_option_usage(command, argv);
  default:
    return command_option_usage(command, argv);
  }
}

int graph_arguments_read(int argc, char **argv, const char *command, const char *help, struct graph_arguments *out)
{
  static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                          {"parameter", required_argument, NULL, 'p'},
                                          {"data", required_argument, NULL, 'd'},
                                          {"memory", required_argument, NULL, 'm'},
                                          {"threads", required_argument, NULL, 't'},
                                          {"device", required_argument, NULL, 'D'},
                                          {"device-memory", required_argument, NULL, 'M'},
                                          {"encoding", required_argument, NULL, 'e'},
                                          {"workspaces", required_argument, NULL, 'w'},
                                          {"remote", required_argument, NULL, 'r'},
                                          {"remote-accounts", required_argument, NULL, 'a'},
                                          {"udf-python", required_argument, NULL, 'u'},
                                          {"files", required_argument, NULL, 'f'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"cuda", no_argument, NULL, 'c'},
                                          {"ranks", required_argument, NULL, 'R'},
                                          {"verbose", no_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
  opterr = 0;
  out->device.number = -1;
  int option;
  while ((option = getopt_long(argc, argv, "o:vh", options, NULL)) != -1) {
    if (option == 'h') {
      fputs(help, stdout);
      return EXIT_OK;
    }
    int status = take_option(out, command, option, argv);
    if (status >= 0)
      return status;
  }
  if (optind + 1 != argc)
    return command_usage(command, optind == argc ? "no graph given" : "more than one graph given");
  out->graph = argv[optind];
  return -1;
}

void graph_arguments_free(struct graph_arguments *arguments)
{
  account_settings_free(&arguments->remotes);
}

/* Where no address is allowed there is no fetcher, and other hosts are not read at all. */
static int start_fetcher(const struct graph_arguments *arguments, const volatile int *cancel, struct fetch_here **out,
                         struct error *error)
{
  const struct fetch_access access = account_settings_access(&arguments->remotes);
  return access.rule.prefix_count > 0 ? fetch_here_start(&access, remote_bytes, cancel, out, error) : 0;
}

/* Devices that are asked for by name must be there. */
static int make_devices(const struct device_options *choice, const char *data, struct devices **out,
                        struct error *error)
{
  struct device_options options = *choice;
  struct error why = {0};
  char folder[DATA_DIR_SIZE + 16];
  snprintf(folder, sizeof folder, "%s/devices", data);
  options.folder = folder;
  if (devices_new(&options, out, error) != 0)
    return -1;
  if (options.kind != DEVICE_CUDA || devices_count(*out, &why) > 0)
    return 0;
  return error_set(error, ERROR_FeatureUnsupported, "--device: %s", why.message);
}

int graph_arguments_execute(const struct graph_arguments *arguments, const volatile int *cancel,
                            int (*act)(const struct graph_arguments *arguments, struct execution *execution,
                                       struct error *error))
{
  struct error error = {0};
  struct buffer graph = {.limit = 2 * (size_t)GRAPH_MAX_BYTES};
  struct catalogue *catalogue = NULL;
  struct fetch_here *fetcher = NULL;
  struct devices *devices = NULL;
  struct udf_here *scripts = NULL;
  char data[DATA_DIR_SIZE];
  char *files = realpath(arguments->files != NULL ? arguments->files : ".", NULL);
  int status = command_read_file(arguments->graph, GRAPH_MAX_BYTES, &graph, &error);
  if (status == 0 && files == NULL && arguments->files != NULL)
    status = error_set(&error, ERROR_FileNotFound, "there is no folder '%s'", arguments->files);
  if (status == 0)
    status = data_dir_find(arguments->data, data, &error);
  if (status == 0)
    status = catalogue_open(data, false, &catalogue, &error);
  if (status == 0)
    status = start_fetcher(arguments, cancel, &fetcher, &error);
  if (status == 0) /* behind what forks */
    status = make_devices(&arguments->device, data, &devices, &error);
  if (status == 0 && (scripts = udf_here_new(arguments->udf_python, cancel)) == NULL)
    status = error_memory(&error);
  if (status == 0) {
    struct execution execution = {
        .graph = graph.length ? graph.data : "",
        .graph_length = graph.length,
        .parameters = arguments->parameters,
        .parameter_count = arguments->parameter_count,
        .catalogue = catalogue,
        .files = files,
        .workspaces = {.folder = arguments->workspaces},
        .local = &(const struct local_files){.all = true, .interpreters = udf_here_interpreters(scripts)},
        .cancel = cancel,
        .memory = arguments->memory,
        .threads = (unsigned)arguments->threads,
        .devices = devices,
        .ranks = arguments->ranks,
        .official_encoding = arguments->official,
        .explain = arguments->explain,
        .output = arguments->output ? arguments->output : "./",
    };
    status = act(arguments, &execution, &error);
  }
  udf_here_free(scripts);
  devices_free(devices);
  fetch_here_stop(fetcher);
  if (catalogue != NULL)
    catalogue_close(catalogue);
  buffer_free(&graph);
  free(files);
  return status == 0 ? EXIT_OK : command_fail(&error);
}

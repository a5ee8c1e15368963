/* twincube catalogue references: where the chunks of netCDF and GRIB files lie, as a document. */
#include "server/commands/command_catalogue.h"

#include "server/commands/command.h"
#include "server/fetch/account_settings.h"
#include "server/fetch/fetch_here.h"

#include "datacube/remote/remote_file.h"
#include "datacube/source/file_references.h"
#include "datacube/source/netcdf_lock.h"
#include "datacube/source/referenced_join.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help_text[] =
    "twincube catalogue references - netCDF, HDF5 and GRIB files as a Zarr hierarchy, without copying\n\n"
    "Usage\n"
    "  twincube catalogue references [--dimension NAME] [--remote PREFIX]... [--remote-accounts FILE]\n"
    "                                -o FILE.json INPUT...\n\n"
    "Writes where the chunks of the files lie: references of version 1, as Kerchunk has them and fsspec, xarray and\n"
    "`twincube catalogue add` read them. INPUT is a file below the folder of FILE.json, or an address (https://…,\n"
    "s3://…): netCDF-4 and HDF5 (plain, or with shuffle, deflate, zstd), netCDF-3, and GRIB 1 and 2. Several are\n"
    "one cube along time, in the order in which they are given.\n\n"
    "Options\n"
    "  -o, --output FILE  the document, in place of one that is there\n"
    "  --dimension NAME   several files are joined along this dimension, the first one of their variables (default:\n"
    "                     that of the first coordinate of time)\n"
    "  --remote PREFIX, --remote-accounts FILE\n"
    "                     other hosts that may be asked beside those of INPUT, and accounts there, as of\n"
    "                     `twincube catalogue add`\n"
    "  -h, --help         this text\n\n"
    "Exit status\n"
    "  0 success, 1 failure (one line `Code: message` on standard error), 2 wrong usage\n\n"
    "Example\n"
    "  twincube catalogue references -o tas/tas.json tas/tas_*.nc && twincube catalogue add tas/tas.json\n";

struct references_arguments {
  const char *out, *dimension;
  struct account_settings remotes;
  bool help;
};

static const uint64_t fetched_bytes = UINT64_C(4) << 30;

static int read_options(struct references_arguments *arguments, int argc, char **argv)
{
  static const struct option options[] = {
      {"output", required_argument, NULL, 'o'}, {"dimension", required_argument, NULL, 'd'},
      {"remote", required_argument, NULL, 'r'}, {"remote-accounts", required_argument, NULL, 'a'},
      {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
  struct error error = {0};
  int option;
  optind = 0;
  opterr = 0;
  while ((option = getopt_long(argc, argv, "ho:", options, NULL)) != -1) {
    if (option == 'o')
      arguments->out = optarg;
    else if (option == 'd')
      arguments->dimension = optarg;
    else if (option == 'h')
      arguments->help = true;
    else if (option == 'r' || option == 'a') {
      if ((option == 'r' ? account_settings_add_prefix : account_settings_add_file)(&arguments->remotes, optarg,
                                                                                    &error) != 0)
        return command_usage("catalogue references", "%s: %s", argv[optind - 2], error.message);
    } else
      return command_option_usage("catalogue references", argv);
  }
  if (!arguments->help && (argc == optind || !arguments->out))
    return command_usage("catalogue references", "wants -o FILE.json and at least one INPUT");
  return EXIT_OK;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static bool is_address(const char *input)
{
  return strstr(input, "://") != NULL;
}

/* The folder of an address may be asked. */
static int allow_folder(struct account_settings *remotes, const char *address, struct error *error)
{
  const char *path = strstr(address, "://") + 3;
  size_t end = strcspn(address, "?#");
  while (address + end > path && address[end - 1] != '/')
    end--;
  char *prefix = strndup(address, end);
  const int status = prefix ? account_settings_add_prefix(remotes, prefix, error) : error_memory(error);
  free(prefix);
  return status;
}

/* The folder of the document without links, with a slash at the end. */
static const char *folder_of(struct arena *arena, const char *out, struct error *error)
{
  char real[PATH_MAX];
  const char *slash = strrchr(out, '/');
  const char *folder = slash ? arena_strndup(arena, out, (size_t)(slash - out) + 1) : "./";
  if (!folder || !realpath(folder, real)) {
    error_set(error, ERROR_StorageFailure, "%s: %s", folder ? folder : out, strerror(errno));
    return NULL;
  }
  return arena_printf(arena, "%s%s", real, strcmp(real, "/") == 0 ? "" : "/");
}

/* What references call an input, and by which path it is opened. */
static int place_input(struct arena *arena, const char *folder, const char *input, const char **path,
                       const char **target, struct error *error)
{
  char real[PATH_MAX];
  if (is_address(input)) {
    *path = *target = arena_printf(arena, "%s%s", REMOTE_PREFIX, input);
    return *path ? 0 : error_memory(error);
  }
  if (!realpath(input, real))
    return error_parameter(error, ERROR_FileNotFound, "path", "%s: %s", input, strerror(errno));
  if (strncmp(real, folder, strlen(folder)) != 0)
    return error_parameter(error, ERROR_ProcessParameterInvalid, "path",
                           "%s does not lie below %s, the folder of the document: its references would not be read",
                           input, folder);
  *path = arena_strdup(arena, real);
  *target = *path ? *path + strlen(folder) : NULL;
  return *path ? 0 : error_memory(error);
}

static int read_input(struct arena *arena, const char *folder, const char *input, struct referenced_file *out,
                      struct error *error)
{
  const char *path, *target;
  struct error reason = {0};
  if (place_input(arena, folder, input, &path, &target, error) != 0)
    return -1;
  netcdf_lock();
  const int status = file_references_read(arena, path, target, out, &reason);
  netcdf_unlock();
  return status == 0 ? 0 : error_set(error, error_code_find(reason.code), "%s: %s", input, reason.message);
}

static int write_document(const char *path, const struct buffer *text, struct error *error)
{
  FILE *file = fopen(path, "we");
  const bool is_written = file && fwrite(text->data, 1, text->length, file) == text->length;
  if (file && fclose(file) == 0 && is_written)
    return 0;
  return error_set(error, ERROR_StorageFailure, "%s cannot be written: %s", path, strerror(errno));
}

static int make_document(struct arena *arena, const struct references_arguments *arguments, char *const *inputs,
                         size_t count, struct error *error)
{
  const char *folder = folder_of(arena, arguments->out, error);
  struct referenced_file *files = ARENA_ARRAY(arena, struct referenced_file, count), joined;
  struct buffer text = {.limit = ZARR_REFERENCES_BYTES};
  if (!folder || !files)
    return error_is_set(error) ? -1 : error_memory(error);
  for (size_t i = 0; i < count; i++)
    if (read_input(arena, folder, inputs[i], &files[i], error) != 0)
      return -1;
  referenced_file_init(arena, &joined);
  if (count > 1 &&
      referenced_join(files, (const char *const *)inputs, count, arguments->dimension, folder, &joined, error) != 0)
    return -1;
  int status = referenced_document(count > 1 ? &joined : files, &text, error);
  if (status == 0)
    status = write_document(arguments->out, &text, error);
  buffer_free(&text);
  return status;
}

static int make(struct references_arguments *arguments, char *const *inputs, size_t count, struct error *error)
{
  struct fetch_here *fetcher = NULL;
  struct arena *arena = arena_new(0);
  int status = arena ? 0 : error_memory(error);
  for (size_t i = 0; i < count && status == 0; i++)
    status = is_address(inputs[i]) ? allow_folder(&arguments->remotes, inputs[i], error) : 0;
  const struct fetch_access access = account_settings_access(&arguments->remotes);
  if (status == 0 && access.rule.prefix_count > 0)
    status = fetch_here_start(&access, fetched_bytes, NULL, &fetcher, error);
  if (status == 0)
    status = make_document(arena, arguments, inputs, count, error);
  fetch_here_stop(fetcher);
  arena_free(arena);
  return status;
}

int command_catalogue_references(int argc, char **argv)
{
  struct references_arguments arguments = {.out = NULL};
  struct error error = {0};
  const int usage = read_options(&arguments, argc, argv);
  int status = 0;
  if (usage == EXIT_OK && arguments.help)
    fputs(help_text, stdout);
  else if (usage == EXIT_OK)
    status = make(&arguments, argv + optind, (size_t)(argc - optind), &error);
  account_settings_free(&arguments.remotes);
  return usage != EXIT_OK || status == 0 ? usage : command_fail(&error);
}

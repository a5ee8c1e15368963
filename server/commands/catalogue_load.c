/* twincube catalogue load: STAC items into the catalogue as they are. */
#include "server/commands/command_catalogue.h"

#include "server/commands/command.h"
#include "server/commands/data_dir.h"
#include "server/sources/source_add.h"
#include "server/sources/source_load.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help_text[] =
    "twincube catalogue load - take STAC items into the catalogue as they are\n\n"
    "Usage\n"
    "  twincube catalogue load [--data DIR] [--catalogue URI] [--collection FILE] [--new] [--strict] PATH\n"
    "  twincube catalogue load [--data DIR] [--catalogue URI] [--remote PREFIX]... [--remote-accounts FILE]\n"
    "                         [--refresh SECONDS] ADDRESS\n"
    "\n"
    "PATH is one of\n"
    "  lines of JSON       (.ndjson, .jsonl, .geojsonl), an item each\n"
    "  a STAC document     an ItemCollection or an Item (.json, .geojson)\n"
    "  stac-geoparquet     (.parquet, .geoparquet) of rustac, stac-geoparquet or geopandas: a row is an item, nulls\n"
    "                      are members that are not there; collections that the file tells of are put first where\n"
    "                      there is no --collection\n"
    "  a static catalogue  a folder with catalog.json or collection.json, or one of these: links to children and "
    "items\n"
    "                      below the folder are followed\n"
    "  an address          (https://…, s3://…) of a file of lines of JSON or Parquet, whose items' own addresses "
    "stay\n"
    "                      as they are; or of a STAC API, a static catalogue, a collection, or a page of items: pages\n"
    "                      and links are followed, collection by collection\n"
    "Files of JSON may be packed with gzip or zstd (.ndjson.gz).\n"
    "Items of STAC 1.0 and 1.1 are kept whole and can be searched at once; no file that they name is looked at. All\n"
    "are loaded in one step: searches see none of them or all. An item of the same collection and id is replaced.\n"
    "A collection that is not there is made, with the extent of its items. Items that are no sound ones are named on\n"
    "standard error, the first 20, and left out. `twincube catalogue add` is for files whose pixels shall be "
    "loaded.\n\n"
    "Options\n"
    "  --data DIR, --catalogue URI\n"
    "                     the data folder, and the database of a shared catalogue (see twincube catalogue --help)\n"
    "  --collection FILE  a STAC Collection that is put first, in place of one of the same id\n"
    "  --new              an item that is there is no sound one, either\n"
    "  --strict           the first item that would be left out ends it, and nothing is loaded\n"
    "  --remote PREFIX, --remote-accounts FILE\n"
    "                     other hosts that may be asked beside that of ADDRESS, and accounts there, as of\n"
    "                     `twincube catalogue add`\n"
    "  --refresh SECONDS  how often `twincube catalogue refresh` looks at ADDRESS again: then items that are no "
    "longer\n"
    "                     there go (default: when it is asked for)\n"
    "  -h, --help         this text\n\n"
    "Exit status\n"
    "  0 success, 1 failure (one line `Code: message` on standard error), 2 wrong usage\n\n"
    "Example\n"
    "  twincube catalogue load --collection s2.json s2-items.ndjson\n";

struct load_arguments {
  const char *data, *shared;
  struct bulk_load load;
  struct account_settings remotes;
  long every; /* seconds; 0: on demand */
  bool help;
};

static int read_options(struct load_arguments *arguments, int argc, char **argv)
{
  static const struct option options[] = {
      {"data", required_argument, NULL, 'd'},       {"catalogue", required_argument, NULL, 'u'},
      {"collection", required_argument, NULL, 'c'}, {"new", no_argument, NULL, 'n'},
      {"strict", no_argument, NULL, 's'},           {"help", no_argument, NULL, 'h'},
      {"remote", required_argument, NULL, 'r'},     {"remote-accounts", required_argument, NULL, 'a'},
      {"refresh", required_argument, NULL, 'e'},    {NULL, 0, NULL, 0}};
  struct error error = {0};
  int option;
  optind = 0;
  opterr = 0;
  while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
    if (option == 'd')
      arguments->data = optarg;
    else if (option == 'u')
      arguments->shared = optarg;
    else if (option == 'c')
      arguments->load.collection = optarg;
    else if (option == 'n')
      arguments->load.writing = ITEM_INSERT;
    else if (option == 's')
      arguments->load.is_strict = true;
    else if (option == 'h')
      arguments->help = true;
    else if (option == 'e' && (arguments->every = strtol(optarg, NULL, 10)) < 1)
      return command_usage("catalogue load", "--refresh %s: a number of seconds is expected, at least 1", optarg);
    else if (option == 'e')
      continue;
    else if (option == 'r' || option == 'a') {
      if ((option == 'r' ? account_settings_add_prefix : account_settings_add_file)(&arguments->remotes, optarg,
                                                                                    &error) != 0)
        return command_usage("catalogue load", "%s: %s", argv[optind - 2], error.message);
    } else
      return command_usage("catalogue load", "the option '%s' is not known, or lacks its value", argv[optind - 1]);
  }
  if (!arguments->help && argc - optind != 1)
    return command_usage("catalogue load", "wants one PATH");
  return EXIT_OK;
}

/* Of another host, and kept to be refreshed. */
static int load_address(struct catalogue *catalogue, struct load_arguments *arguments, const char *address,
                        struct buffer *report, struct error *error)
{
  const struct catalogue_add_options none = {.id = NULL};
  const struct source_outcome outcome = {.digest = ""};
  const struct source_spec spec = {
      .kind = SOURCE_ITEMS, .address = address, .options = &none, .remotes = &arguments->remotes};
  if (arguments->load.collection)
    return error_parameter(error, ERROR_FeatureUnsupported, "collection",
                           "%s tells its collections itself: --collection is for files", address);
  return source_add_items(catalogue, &spec, &arguments->load, report, error) == 0
             ? source_keep(catalogue, &spec, &outcome, arguments->every, report->data, error)
             : -1;
}

static int load_items(struct load_arguments *arguments, const char *path, struct buffer *report, struct error *error)
{
  struct catalogue *catalogue = NULL;
  if (catalogue_place_open(arguments->data, arguments->shared, true, &catalogue, error) != 0)
    return -1;
  const int result = strstr(path, "://") ? load_address(catalogue, arguments, path, report, error)
                                         : catalogue_load_items(catalogue, &arguments->load, path, report, error);
  catalogue_close(catalogue);
  return result;
}

int command_catalogue_load(int argc, char **argv)
{
  struct load_arguments arguments = {.load.writing = ITEM_UPSERT};
  struct buffer report = {0};
  struct error error = {0};
  const int usage = read_options(&arguments, argc, argv);
  if (usage != EXIT_OK || arguments.help) {
    account_settings_free(&arguments.remotes);
    if (usage == EXIT_OK)
      fputs(help_text, stdout);
    return usage;
  }
  const int result = load_items(&arguments, argv[optind], &report, &error);
  if (result == 0)
    fputs(report.data, stdout);
  buffer_free(&report);
  account_settings_free(&arguments.remotes);
  return result == 0 ? EXIT_OK : command_fail(&error);
}

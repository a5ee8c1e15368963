/* twincube catalogue index: indexes of properties of items. */
#include "server/commands/command_catalogue.h"

#include "server/commands/command.h"
#include "server/commands/data_dir.h"
#include "stac/search/property_index.h"

#include <getopt.h>
#include <stdio.h>

static const char help_text[] =
    "twincube catalogue index - find and sort items by a property at once\n\n"
    "Usage\n"
    "  twincube catalogue index [--data DIR] [--catalogue URI] [--property NAME] [--remove NAME]\n\n"
    "Searches that filter or sort by a property look into each item, unless there is an index of it. One costs some\n"
    "80 bytes an item, and a few percent of the time of loading. `twincube catalogue load` of 10000 items and more\n"
    "makes those of eo:cloud_cover and updated, where half of a collection's items have them. What has an index is "
    "listed\n"
    "in the end, one line each.\n\n"
    "Options\n"
    "  --data DIR, --catalogue URI\n"
    "                   the data folder, and the database of a shared catalogue (see twincube catalogue --help)\n"
    "  --property NAME  make an index of this property, for all collections: at most 8\n"
    "  --remove NAME    forget one\n"
    "  -h, --help       this text\n\n"
    "Exit status\n"
    "  0 success, 1 failure (one line `Code: message` on standard error), 2 wrong usage\n\n"
    "Example\n"
    "  twincube catalogue index --property view:sun_elevation\n";

struct index_arguments {
  const char *data, *shared, *made, *removed;
  bool help;
};

static int read_options(struct index_arguments *arguments, int argc, char **argv)
{
  static const struct option options[] = {
      {"data", required_argument, NULL, 'd'},     {"catalogue", required_argument, NULL, 'c'},
      {"property", required_argument, NULL, 'p'}, {"remove", required_argument, NULL, 'r'},
      {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0}};
  int option;
  optind = 0;
  opterr = 0;
  while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
    if (option == 'd')
      arguments->data = optarg;
    else if (option == 'c')
      arguments->shared = optarg;
    else if (option == 'p')
      arguments->made = optarg;
    else if (option == 'r')
      arguments->removed = optarg;
    else if (option == 'h')
      arguments->help = true;
    else
      return command_usage("catalogue index", "the option '%s' is not known, or lacks its value", argv[optind - 1]);
  }
  return arguments->help || argc == optind ? EXIT_OK : command_usage("catalogue index", "wants options only");
}

static int change(const struct index_arguments *arguments, struct buffer *out, struct error *error)
{
  const bool writes = arguments->made || arguments->removed;
  struct catalogue *catalogue = NULL;
  if (catalogue_place_open(arguments->data, arguments->shared, writes, &catalogue, error) != 0)
    return -1;
  int result = arguments->removed ? catalogue_unindex_property(catalogue, arguments->removed, error) : 0;
  if (result == 0 && arguments->made)
    result = catalogue_index_property(catalogue, arguments->made, error);
  if (result == 0)
    result = catalogue_list_property_indexes(catalogue, out, error);
  catalogue_close(catalogue);
  return result;
}

int command_catalogue_index(int argc, char **argv)
{
  struct index_arguments arguments = {0};
  struct buffer out = {0};
  struct error error = {0};
  const int usage = read_options(&arguments, argc, argv);
  if (usage != EXIT_OK || arguments.help) {
    if (usage == EXIT_OK)
      fputs(help_text, stdout);
    return usage;
  }
  const int result = change(&arguments, &out, &error);
  if (result == 0 && out.length)
    fwrite(out.data, 1, out.length, stdout);
  buffer_free(&out);
  return result == 0 ? EXIT_OK : command_fail(&error);
}

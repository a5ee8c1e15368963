/* twincube: one program. The first argument names the subcommand; each is a file of its own (command_*.c). */
#include "server/commands/command.h"
#include "server/commands/command_catalogue.h"
#include "server/export/sender.h"
#include "server/fetch/fetch_process.h"
#include "server/sources/refresh_process.h"
#include "server/udf/udf_host.h"
#include "server/workers/zygote.h"

#include <stdio.h>
#include <string.h>

struct subcommand {
  const char *name;
  int (*run)(int argc, char **argv);
  const char *summary; /* NULL: not listed */
};

static const struct subcommand subcommands[] = {
    {"serve", command_serve, "serve the openEO API"},
    {"run", command_run, "run a process graph here, without a server"},
    {"explain", command_explain, "print the plan of a process graph"},
    {"devices", command_devices, "list what computes beside the CPU, or why there is nothing"},
    {"catalogue", command_catalogue, "add, list and remove collections"},
    {"user", command_user, "add, list and remove users of the server"},
    {"config", command_config, "check a server's configuration file"},
    {"store", command_store, "check the server's database, or move it into another one"},
    {"job", command_job, "list, show and cancel batch jobs of the server"},
    {"zygote", zygote_main, NULL}, /* the server's own: not for people */
    {"fetcher", fetcher_main, NULL},
    {"sender", sender_main, NULL},
    {"refresher", refresher_main, NULL},
    {"udf-host", udf_host_main, NULL},
};

static const size_t subcommand_count = sizeof subcommands / sizeof subcommands[0];

static int print_help(void)
{
  printf("twincube - process graphs over datacubes and digital twins\n\n"
         "Usage\n"
         "  twincube COMMAND [OPTION]... [ARGUMENT]...\n"
         "  twincube COMMAND --help\n"
         "  twincube --version\n\n"
         "Commands\n");
  for (size_t i = 0; i < subcommand_count; i++)
    if (subcommands[i].summary != NULL)
      printf("  %-10s %s\n", subcommands[i].name, subcommands[i].summary);
  printf("\nFirst steps\n"
         "  twincube catalogue add --id scenes folder/      register a folder of rasters as a collection\n"
         "  twincube run graph.json -o result.nc            run a process graph on it\n"
         "  echo secret | twincube user add alice           make a user\n"
         "  twincube serve                                  serve openEO at http://127.0.0.1:8080/\n\n"
         "Exit status\n"
         "  0  success\n"
         "  1  failure; one line `Code: message` on standard error names node and parameter\n"
         "  2  wrong usage\n");
  return EXIT_OK;
}

int main(int argc, char **argv)
{
  if (argc < 2) {
    fputs("twincube: no command given\nTry 'twincube --help'.\n", stderr);
    return EXIT_USAGE;
  }
  const char *name = argv[1];
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
    return print_help();
  if (strcmp(name, "--version") == 0) {
    puts("twincube " TWINCUBE_VERSION);
    return EXIT_OK;
  }
  for (size_t i = 0; i < subcommand_count; i++)
    if (strcmp(name, subcommands[i].name) == 0)
      return subcommands[i].run(argc - 1, argv + 1);
  fprintf(stderr, "twincube: there is no command '%s'\nTry 'twincube --help'.\n", name);
  return EXIT_USAGE;
}

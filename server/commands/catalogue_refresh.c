/* twincube catalogue refresh, twincube catalogue sources: collections that are made again of what they came from. */
#include "server/commands/command_catalogue.h"

#include "server/commands/command.h"
#include "server/commands/data_dir.h"
#include "server/sources/source_refresh.h"
#include "server/store/folder.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char help_text[] =
    "twincube catalogue refresh - look again at what collections came from\n\n"
    "Usage\n"
    "  twincube catalogue refresh [--data DIR] [--catalogue URI] [--due | --watch] [ID]...\n"
    "  twincube catalogue sources [--data DIR] [--catalogue URI]\n\n"
    "Everything that `twincube catalogue add` was given is kept with what was said then. A refresh lists it anew: new\n"
    "files become items, those that vanished leave. Where the listing is as it was (names, sizes, dates or ETags) no\n"
    "file is looked at. Readers see the collection as it was or as it is, never half of it; one whose source cannot\n"
    "be read stays as it is, and `sources` tells what was wrong. Without an ID all sources are refreshed.\n\n"
    "Options\n"
    "  --data DIR, --catalogue URI\n"
    "               the data folder, and the database of a shared catalogue (see twincube catalogue --help)\n"
    "  --due        only sources whose time has come, by --refresh of `twincube catalogue add`: for a timer\n"
    "  --watch      go on until a signal comes: what is due when it is due, and folders of this machine a moment "
    "after\n"
    "               something in them changes\n"
    "  -h, --help   this text\n\n"
    "Exit status\n"
    "  0 success, 1 failure, also of one source (warnings on standard error), 2 wrong usage\n";

static volatile int is_ended; /* set by the signal handler alone */

static void on_signal(int number)
{
  (void)number;
  is_ended = 1;
}

static void say(const char *line)
{
  fputs(line, stdout);
  fflush(stdout);
}

struct refresh_arguments {
  const char *data, *shared;
  bool only_due, watches, help;
};

static int read_options(struct refresh_arguments *arguments, const char *command, int argc, char **argv)
{
  static const struct option options[] = {
      {"data", required_argument, NULL, 'd'}, {"catalogue", required_argument, NULL, 'c'},
      {"due", no_argument, NULL, 'u'},        {"watch", no_argument, NULL, 'w'},
      {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0}};
  int option;
  optind = 0;
  opterr = 0;
  while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
    if (option == 'd')
      arguments->data = optarg;
    else if (option == 'c')
      arguments->shared = optarg;
    else if (option == 'u')
      arguments->only_due = true;
    else if (option == 'w')
      arguments->watches = true;
    else if (option == 'h')
      arguments->help = true;
    else
      return command_usage(command, "the option '%s' is not known, or lacks its value", argv[optind - 1]);
  }
  return arguments->only_due && arguments->watches ? command_usage(command, "wants --due or --watch, not both")
                                                   : EXIT_OK;
}

static int refresh(const struct refresh_arguments *arguments, const char *const *names, size_t count,
                   struct error *error)
{
  char data[DATA_DIR_SIZE], scratch[REFRESH_SCRATCH_SIZE];
  const char *shared;
  size_t failed = 0;
  if (data_dir_make(arguments->data, data, error) != 0 ||
      shared_catalogue_find(arguments->shared, &shared, error) != 0 || refresh_scratch_begin(NULL, scratch, error) != 0)
    return -1;
  const struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  const struct refresh_options options = {.data = data,
                                          .shared = shared,
                                          .scratch = scratch,
                                          .names = names,
                                          .name_count = count,
                                          .only_due = arguments->only_due,
                                          .cancel = &is_ended,
                                          .say = say};
  const int status = arguments->watches ? source_watch(&options, error) : source_refresh(&options, &failed, error);
  folder_remove(scratch);
  return status == 0 ? (int)(failed > 0) : -1;
}

static int print_sources(const struct refresh_arguments *arguments, struct error *error)
{
  char data[DATA_DIR_SIZE];
  struct refresh_options options = {.data = data};
  struct buffer out = {0};
  int status = data_dir_find(arguments->data, data, error);
  if (status == 0)
    status = shared_catalogue_find(arguments->shared, &options.shared, error);
  if (status == 0)
    status = source_print(&options, &out, error);
  if (status == 0 && out.length > 0)
    say(out.data);
  buffer_free(&out);
  return status;
}

int command_catalogue_refresh(int argc, char **argv)
{
  const bool is_list = strcmp(argv[0], "sources") == 0;
  const char *command = is_list ? "catalogue sources" : "catalogue refresh";
  struct refresh_arguments arguments = {.data = NULL};
  struct error error = {0};
  const int usage = read_options(&arguments, command, argc, argv);
  if (usage != EXIT_OK)
    return usage;
  if (arguments.help) {
    fputs(help_text, stdout);
    return EXIT_OK;
  }
  if (is_list && (optind < argc || arguments.only_due || arguments.watches))
    return command_usage(command, "wants --data and --catalogue alone");
  const int status = is_list ? print_sources(&arguments, &error)
                             : refresh(&arguments, (const char *const *)&argv[optind], (size_t)(argc - optind), &error);
  return status < 0 ? command_fail(&error) : status == 0 ? EXIT_OK : EXIT_FAILED;
}

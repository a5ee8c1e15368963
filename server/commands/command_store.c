/* twincube store: moving the store from one database into another, and looking whether it is well. */
#include "server/commands/command.h"
#include "server/commands/data_dir.h"
#include "server/store/store_migrate.h"
#include "server/store/store_servers.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char help_text[] =
    "twincube store - users, jobs and services of the server, as its database holds them\n\n"
    "Usage\n"
    "  twincube store migrate FROM TO                  copy a store into an empty one\n"
    "  twincube store check [--data DIR] [--store URI] count what is there, and let the database check itself\n\n"
    "FROM and TO are data folders (SQLite, in server.sqlite) or PostgreSQL databases (postgresql://HOST/DATABASE). No\n"
    "server may run on either. FROM stays as it is. Results and files of users are not in the store: they stay in the\n"
    "data folder, which `twincube serve --store TO --shared FOLDER` then shares.\n\n"
    "Options\n"
    "  --data DIR    folder of the server (see twincube catalogue --help for the default)\n"
    "  --store URI   its PostgreSQL database, where it has one (default: $TWINCUBE_STORE, else in the folder)\n"
    "  -h, --help    this text\n\n"
    "Exit status\n"
    "  0 success, 1 failure (one line `Code: message` on standard error), 2 wrong usage\n\n"
    "Example\n"
    "  twincube store migrate /srv/twincube postgresql://twincube@db.example.org/twincube\n";

static void print_count(void *data, const char *table, int64_t rows)
{
  (void)data;
  printf("%10" PRId64 "  %s\n", rows, table);
}

/* ---- migrate ----------------------------------------------------------------------------------------------------- */

struct end { /* of a migration */
  const char *place;
  struct store *store;
  int lock_fd; /* of a folder: no server uses it, and none starts */
};

static int lock_folder(struct end *end, struct error *error)
{
  char path[DATA_DIR_SIZE];
  snprintf(path, sizeof path, "%.4000s/server.lock", end->place);
  end->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (end->lock_fd < 0)
    return error_set(error, ERROR_StorageFailure, "cannot open %s: %s", path, strerror(errno));
  if (flock(end->lock_fd, LOCK_EX | LOCK_NB) != 0)
    return error_set(error, ERROR_StorageFailure, "a server uses the folder %s: stop it first", end->place);
  return 0;
}

/* Servers that died without a word are forgotten after a while. */
static int check_servers(const struct end *end, struct error *error)
{
  enum { SILENCE_MS = 30000 };
  int64_t buried, left;
  if (store_servers_bury(end->store, SILENCE_MS, &buried, error) != 0 ||
      store_servers_count(end->store, &left, error) != 0)
    return -1;
  return left == 0 ? 0
                   : error_set(error, ERROR_StorageFailure,
                               "%d servers use the database, or did within the last 30 s: stop them first", (int)left);
}

static int open_end(struct end *end, bool must_exist, struct error *error)
{
  char path[DATA_DIR_SIZE];
  const bool is_shared = store_place_is_shared(end->place);
  snprintf(path, sizeof path, "%.4000s/server.sqlite", end->place);
  if (!is_shared && must_exist && access(path, R_OK) != 0)
    return error_set(error, ERROR_StorageFailure, "there is no store in %s", end->place);
  if (!is_shared && lock_folder(end, error) != 0)
    return -1;
  if (store_open(end->place, &end->store, error) != 0)
    return -1;
  return is_shared ? check_servers(end, error) : 0;
}

static void close_end(struct end *end)
{
  store_close(end->store);
  if (end->lock_fd >= 0)
    close(end->lock_fd);
}

static int migrate(const char *from_place, const char *to_place, struct error *error)
{
  struct end from = {.place = from_place, .lock_fd = -1}, to = {.place = to_place, .lock_fd = -1};
  int status = -1;
  if (open_end(&from, true, error) == 0 && open_end(&to, false, error) == 0)
    status = store_migrate(from.store, to.store, print_count, NULL, error);
  close_end(&to);
  close_end(&from);
  return status;
}

/* ---- check ------------------------------------------------------------------------------------------------------- */

static int check(const char *data_option, const char *store_option, struct error *error)
{
  char data[DATA_DIR_SIZE];
  const char *place = NULL;
  struct store *store = NULL;
  int64_t servers = 0;
  int status = data_dir_find(data_option, data, error);
  if (status == 0)
    status = store_place_find(store_option, data, &place, error);
  if (status == 0)
    status = store_open(place, &store, error);
  if (status == 0)
    status = store_count_rows(store, print_count, NULL, error);
  if (status == 0)
    status = store_check(store, error);
  if (status == 0 && store_is_shared(store))
    status = store_servers_count(store, &servers, error);
  if (status == 0 && store_is_shared(store))
    printf("%10" PRId64 "  servers\n", servers);
  store_close(store);
  return status;
}

int command_store(int argc, char **argv)
{
  static const struct option options[] = {{"data", required_argument, NULL, 'd'},
                                          {"store", required_argument, NULL, 'S'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
  const char *data = NULL, *place = NULL;
  struct error error = {0};
  opterr = 0;
  for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
    if (option == 'h') {
      fputs(help_text, stdout);
      return EXIT_OK;
    }
    if (option == '?')
      return command_option_usage("store", argv);
    *(option == 'd' ? &data : &place) = optarg;
  }
  const char *action = optind < argc ? argv[optind] : "";
  const int arguments = argc - optind - 1;
  if (strcmp(action, "migrate") == 0 && arguments == 2 && data == NULL && place == NULL)
    return migrate(argv[optind + 1], argv[optind + 2], &error) == 0 ? EXIT_OK : command_fail(&error);
  if (strcmp(action, "check") == 0 && arguments == 0)
    return check(data, place, &error) == 0 ? EXIT_OK : command_fail(&error);
  return command_usage("store", "wants migrate FROM TO, or check");
}

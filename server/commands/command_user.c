/* twincube user: the accounts of the server, kept in DIR/server.sqlite. Works while the server runs. */
#include "server/auth/auth.h"
#include "server/commands/command.h"
#include "server/commands/data_dir.h"
#include "server/store/store.h"

#include "datacube/base/instant.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { PASSWORD_MIN = 6 };

static const char help_text[] =
    "twincube user - accounts of the server\n\n"
    "Usage\n"
    "  twincube user add NAME [--data DIR]      make a user, or give one a new password\n"
    "  twincube user list [--data DIR]          one line each: name, date of creation\n"
    "  twincube user remove NAME [--data DIR]   remove a user with tokens, jobs and results\n"
    "  twincube user rights NAME [--operator] [--results SIZE] [--data DIR]\n"
    "                                           set what a user may: without options, as every user\n\n"
    "`add` reads the password, 6 bytes at least, as one line from standard input; on a terminal it asks and does not\n"
    "echo.\n"
    "NAME is made of letters, digits and - . _ ~ (at most 64). Passwords are kept as argon2id hashes. A new\n"
    "password ends the user's open sessions. All four work while the server runs. Rights of users whom an identity\n"
    "provider vouches for are set anew by its rules when they come.\n\n"
    "Options\n"
    "  --data DIR       folder of the server (see twincube catalogue --help for the default)\n"
    "  --store URI      its PostgreSQL database, where it has one (default: $TWINCUBE_STORE, else in the folder)\n"
    "  --operator       the user may what only operators may\n"
    "  --results SIZE   bytes of results that the user may keep, such as 100G (default: serve --user-results)\n"
    "  -h, --help       this text\n\n"
    "Exit status\n"
    "  0 success, 1 failure (one line `Code: message` on standard error), 2 wrong usage\n\n"
    "Example\n"
    "  echo 'my password' | twincube user add alice\n";

/* One line without its end. 0, or -1 with an error. */
static int read_password(char *out, size_t room, struct error *error)
{
  struct termios before;
  bool is_terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
  if (is_terminal) {
    struct termios silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    fputs("Password: ", stderr);
  }
  size_t length = 0;
  int c;
  while ((c = getchar()) != EOF && c != '\n' && length + 1 < room)
    out[length++] = (char)c;
  out[length] = '\0';
  if (is_terminal) {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fputc('\n', stderr);
  }
  if (c == EOF && length == 0)
    return error_set(error, ERROR_CredentialsInvalid, "no password on standard input");
  if (c != EOF && c != '\n')
    return error_set(error, ERROR_CredentialsInvalid, "the password is longer than %zu bytes", room - 1);
  if (length > 0 && out[length - 1] == '\r')
    out[--length] = '\0';
  if (strlen(out) != length)
    return error_set(error, ERROR_CredentialsInvalid, "the password holds a NUL byte");
  if (length < PASSWORD_MIN)
    return error_set(error, ERROR_CredentialsInvalid, "the password has less than %d bytes", (int)PASSWORD_MIN);
  return 0;
}

static int add_user(struct store *store, const char *name, struct error *error)
{
  if (!user_name_is_valid(name))
    return error_set(error, ERROR_CredentialsInvalid,
                     "a user name is made of letters, digits and - . _ ~ (at most 64), not '%s'", name);
  char password[AUTH_PASSWORD_MAX + 1], hash[PASSWORD_HASH_SIZE];
  int status = read_password(password, sizeof password, error);
  if (status == 0)
    status = auth_hash_password(password, hash, error);
  auth_wipe(password, sizeof password);
  return status == 0 ? store_user_put(store, name, hash, error) : -1;
}

static void print_user(void *data, const char *name, int64_t created)
{
  (void)data;
  char date[40];
  instant_format(created - created % MS_PER_SECOND, CALENDAR_GREGORIAN, date);
  printf("%-24s %s\n", name, date);
}

static int remove_user(struct store *store, const char *name, struct error *error)
{
  bool found = false;
  if (store_user_remove(store, name, &found, error) != 0)
    return -1;
  return found ? 0 : error_set(error, ERROR_UserNotFound, "there is no user '%s'", name);
}

static int set_rights(struct store *store, const char *name, const struct user_rights *rights, struct error *error)
{
  char hash[PASSWORD_HASH_SIZE];
  bool found = false;
  if (store_user_hash(store, name, hash, &found, error) != 0)
    return -1;
  return found ? store_user_rights_put(store, name, rights, error)
               : error_set(error, ERROR_UserNotFound, "there is no user '%s'", name);
}

struct user_call {
  const char *action, *name; /* name: NULL where the action wants none */
  struct user_rights rights;
};

static int act(const struct user_call *call, struct store *store, struct error *error)
{
  const char *action = call->action, *name = call->name;
  if (strcmp(action, "rights") == 0)
    return set_rights(store, name, &call->rights, error);
  if (strcmp(action, "add") == 0)
    return add_user(store, name, error);
  if (strcmp(action, "remove") == 0)
    return remove_user(store, name, error);
  return store_user_list(store, print_user, NULL, error);
}

int command_user(int argc, char **argv)
{
  static const struct option options[] = {
      {"data", required_argument, NULL, 'd'}, {"store", required_argument, NULL, 'S'},
      {"operator", no_argument, NULL, 'o'},   {"results", required_argument, NULL, 'r'},
      {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0}};
  const char *data_option = NULL, *store_option = NULL;
  struct user_call call = {.rights.roles = ROLE_USER};
  size_t results = 0;
  int option;
  opterr = 0;
  while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
    if (option == 'h') {
      fputs(help_text, stdout);
      return EXIT_OK;
    }
    if (option == '?')
      return command_option_usage("user", argv);
    if (option == 'r' && command_size(optarg, &results) != 0)
      return command_usage("user", "--results wants a size such as 100G, not '%s'", optarg);
    call.rights.roles |= option == 'o' ? ROLE_OPERATOR : 0;
    data_option = option == 'd' ? optarg : data_option;
    store_option = option == 'S' ? optarg : store_option;
  }
  const char *action = optind < argc ? argv[optind] : "";
  const bool is_rights = strcmp(action, "rights") == 0;
  bool wants_name = is_rights || strcmp(action, "add") == 0 || strcmp(action, "remove") == 0;
  if (!wants_name && strcmp(action, "list") != 0)
    return command_usage("user", "wants add, list, remove or rights");
  if (argc - optind != (wants_name ? 2 : 1))
    return command_usage("user", wants_name ? "%s wants one NAME" : "%s wants no argument", action);
  if (!is_rights && (results > 0 || call.rights.roles != ROLE_USER))
    return command_usage("user", "--operator and --results go with rights");
  call.action = action;
  call.name = wants_name ? argv[optind + 1] : NULL;
  call.rights.results = results;

  struct error error = {0};
  struct store *store = NULL;
  char data[DATA_DIR_SIZE];
  const char *place = NULL;
  int status = data_dir_make(data_option, data, &error);
  if (status == 0)
    status = store_place_find(store_option, data, &place, &error);
  if (status == 0)
    status = store_open(place, &store, &error);
  if (status == 0)
    status = act(&call, store, &error);
  store_close(store);
  return status == 0 ? EXIT_OK : command_fail(&error);
}

/* The data folder. */
#include "server/commands/data_dir.h"

#include "server/store/folder.h"
#include "server/store/store.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *home_folder(void)
{
  const char *home = getenv("HOME");
  const struct passwd *user = home && *home ? NULL : getpwuid(getuid());
  return home && *home ? home : user ? user->pw_dir : NULL;
}

static int join(char *out, size_t room, const char *folder, const char *below)
{
  int length = snprintf(out, room, "%s%s", folder, below);
  return length > 0 && (size_t)length < room ? 0 : -1;
}

int data_dir_default(char *out, size_t room)
{
  const char *own = getenv("TWINCUBE_DATA"), *shared = getenv("XDG_DATA_HOME"), *home = home_folder();
  if (own && *own)
    return join(out, room, own, "");
  if (shared && *shared == '/') /* relative ones are to be ignored, says the XDG specification */
    return join(out, room, shared, "/twincube");
  return home ? join(out, room, home, "/.local/share/twincube") : -1;
}

int data_dir_find(const char *option, char out[DATA_DIR_SIZE], struct error *error)
{
  if (option && !*option)
    return error_parameter(error, ERROR_StorageFailure, "data", "the name of the data folder is empty");
  if ((option ? join(out, DATA_DIR_SIZE, option, "") : data_dir_default(out, DATA_DIR_SIZE)) == 0)
    return 0;
  return error_parameter(error, ERROR_StorageFailure, "data",
                         option ? "the name of the data folder is too long"
                                : "no data folder is known: give --data DIR");
}

int data_dir_make(const char *option, char out[DATA_DIR_SIZE], struct error *error)
{
  return data_dir_find(option, out, error) != 0 ? -1 : folder_make(out, error);
}

/* An option's value, else that of a variable of the environment, else NULL. */
static int find_database(const char *option, const char *value, const char *variable, const char **out,
                         struct error *error)
{
  const char *const elsewhere = getenv(variable);
  *out = value != NULL ? value : elsewhere != NULL && *elsewhere ? elsewhere : NULL;
  if (*out == NULL || store_place_is_shared(*out))
    return 0;
  return error_set(error, ERROR_ServerConfigInvalid, "%s wants an address such as postgresql://HOST/DATABASE",
                   value != NULL ? option : variable);
}

int store_place_find(const char *option, const char *data, const char **out, struct error *error)
{
  const int status = find_database("--store", option, "TWINCUBE_STORE", out, error);
  *out = *out != NULL ? *out : data;
  return status;
}

int shared_catalogue_find(const char *option, const char **out, struct error *error)
{
  return find_database("--catalogue", option, "TWINCUBE_CATALOGUE", out, error);
}

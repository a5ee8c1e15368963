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

int store_place_find(const char *option, const char *data, const char **out, struct error *error)
{
  const char *const variable = getenv("TWINCUBE_STORE");
  const char *const place = option != NULL ? option : variable != NULL && *variable ? variable : NULL;
  *out = place != NULL ? place : data;
  if (place == NULL || store_place_is_shared(place))
    return 0;
  return error_set(error, ERROR_ServerConfigInvalid, "%s wants an address such as postgresql://HOST/DATABASE",
                   option != NULL ? "--store" : "TWINCUBE_STORE");
}

#include "server/export/sender.h"

#include "server/confine/confine.h"
#include "server/export/send_plan.h"
#include "server/workers/descriptors.h"
#include "server/workers/spawn_self.h"

#include "datacube/base/logger.h"
#include "stac/json_tree.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONTROL = 3 };
enum { PARENT = 1, LEVEL, FORMAT, CONFINE, FOLDER, ARGUMENTS };

static int confine_self(const char *mode, const char *folder, struct error *error)
{
  struct confinement confinement;
  if (confine_probe(confine_mode_find(mode), &confinement, error) != 0 ||
      confine_fetcher(&confinement, folder, error) != 0)
    return -1;
  umask(022);
  return 0;
}

/* ---- what comes -------------------------------------------------------------------------------------------------- */

static int receive(void)
{
  int fd = -1, count;
  while ((count = descriptors_receive(CONTROL, &fd, 1)) < 0 && errno == EINTR)
    ;
  return count == 1 ? fd : -1;
}

/* All bytes of a file that comes, with a NUL behind them; NULL where none came. */
static char *receive_bytes(size_t *size)
{
  struct stat state;
  const int fd = receive();
  char *bytes = fd >= 0 && fstat(fd, &state) == 0 ? malloc((size_t)state.st_size + 1) : NULL;
  const ssize_t got = bytes != NULL ? pread(fd, bytes, (size_t)state.st_size, 0) : -1;
  if (fd >= 0)
    close(fd);
  if (got < 0) {
    free(bytes);
    return NULL;
  }
  bytes[got] = '\0';
  *size = (size_t)got;
  return bytes;
}

static int receive_results(size_t count, int **out, struct error *error)
{
  int *list = calloc(count + 1, sizeof *list);
  if (list == NULL)
    return error_memory(error);
  *out = list;
  for (size_t i = 0; i < count; i++)
    if ((list[i] = receive()) < 0)
      return error_set(error, ERROR_Internal, "results that are to be exported did not come");
  return 0;
}

/* ---- the export -------------------------------------------------------------------------------------------------- */

static int send_plan_run(struct send_plan *plan, struct error *error)
{
  const int status = plan->kind == PLACE_STAC ? send_to_stac(plan, error) : send_catalogue(plan, error);
  if (status != 0)
    send_undo(plan);
  return status;
}

/* Takes the document. What may be asked are the plan's own addresses. */
static int run_plan(struct sender *sender, json_t *document, struct error *error)
{
  const char *const prefixes[] = {json_tree_text(document, "url"),
                                  json_tree_text(json_object_get(document, "files"), "url")};
  struct send_plan plan = {.place.root = -1};
  int *descriptors = NULL;
  sender->access.rule = (struct web_rule){.prefixes = prefixes, .prefix_count = prefixes[1] != NULL ? 2 : 1};
  int status = prefixes[0] != NULL
                   ? receive_results(json_array_size(json_object_get(document, "results")), &descriptors, error)
                   : error_set(error, ERROR_Internal, "no plan of an export came");
  if (status == 0)
    status = send_plan_read(document, descriptors, sender, &plan, error);
  else
    json_decref(document);
  if (status == 0)
    status = send_plan_run(&plan, error);
  send_plan_free(&plan);
  free(descriptors);
  return status;
}

static int run(struct error *error)
{
  size_t account_bytes = 0, length = 0;
  struct sender sender = {.curl = curl_easy_init(), .control = CONTROL};
  char *accounts = receive_bytes(&account_bytes), *text = receive_bytes(&length);
  json_t *document = text != NULL ? json_loadb(text, length, 0, NULL) : NULL;
  int status = sender.curl != NULL && accounts != NULL && document != NULL
                   ? 0
                   : error_set(error, ERROR_Internal, "no plan of an export came");
  if (status == 0) {
    sender.access.accounts = (struct fetch_account *)(void *)accounts;
    sender.access.account_count = account_bytes / sizeof *sender.access.accounts;
    status = run_plan(&sender, document, error);
  } else {
    json_decref(document);
  }
  curl_easy_cleanup(sender.curl);
  free(accounts);
  free(text);
  return status;
}

int sender_main(int argc, char **argv)
{
  struct error error = {0};
  if (argc != ARGUMENTS)
    return 2;
  prctl(PR_SET_NAME, "twincube-send");
  close_range(CONTROL + 1, UINT_MAX, 0); /* nothing of the server's: no socket, no store */
  log_set_level((enum log_level)strtol(argv[LEVEL], NULL, 10));
  log_set_format((enum log_format)strtol(argv[FORMAT], NULL, 10));
  const pid_t parent = (pid_t)strtol(argv[PARENT], NULL, 10);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  int status = confine_self(argv[CONFINE], argv[FOLDER], &error);
  spawned_leave_signals(parent);
  if (status == 0)
    status = run(&error);
  if (status != 0 && !error_is_set(&error))
    error_set(&error, ERROR_Internal, "the export failed without saying why");
  const bool is_told = send(CONTROL, &error, sizeof error, MSG_NOSIGNAL) == (ssize_t)sizeof error;
  curl_global_cleanup();
  return status == 0 && is_told ? 0 : 1;
}

/* Reading the command line of `twincube serve` by a table. */
#include "server/commands/serve_options.h"

#include "server/commands/command.h"
#include "server/server.h"
#include "server/web/web_rule.h"

#include <getopt.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

enum option_kind { OPTION_TEXT, OPTION_FLAG, OPTION_SIZE, OPTION_INTEGER, OPTION_TIME, OPTION_NETWORK, OPTION_LIST };

struct option_row {
  const char *name;
  enum option_kind kind;
  size_t place; /* in struct serve_options */
  long most;    /* of an integer, from 1 */
};

#define PLACE(member) offsetof(struct serve_options, member)

static const struct option_row rows[] = {
    {"listen", OPTION_TEXT, PLACE(listen), 0},
    {"data", OPTION_TEXT, PLACE(data), 0},
    {"memory", OPTION_SIZE, PLACE(memory), 0},
    {"threads", OPTION_INTEGER, PLACE(threads), 4096},
    {"workers", OPTION_INTEGER, PLACE(workers), 64},
    {"jobs", OPTION_INTEGER, PLACE(jobs), 64},
    {"result-size", OPTION_SIZE, PLACE(result_size), 0},
    {"user-results", OPTION_SIZE, PLACE(user_results), 0},
    {"user-files", OPTION_SIZE, PLACE(user_files), 0},
    {"workspaces", OPTION_TEXT, PLACE(workspaces), 0},
    {"user-requests", OPTION_INTEGER, PLACE(user_requests), 256},
    {"user-jobs", OPTION_INTEGER, PLACE(user_jobs), INT_MAX},
    {"all-jobs", OPTION_INTEGER, PLACE(all_jobs), INT_MAX},
    {"request-time", OPTION_TIME, PLACE(request_time), 0},
    {"job-time", OPTION_TIME, PLACE(job_time), 0},
    {"keep-results", OPTION_INTEGER, PLACE(keep_results), 36500},
    {"tariff", OPTION_TEXT, PLACE(tariff_text), 0},
    {"sweep", OPTION_FLAG, PLACE(sweep), 0},
    {"stac", OPTION_LIST, PLACE(stac), 0},
    {"process-namespace", OPTION_LIST, PLACE(namespaces), 0},
    {"process-specs", OPTION_TEXT, PLACE(specs), 0},
    {"public-url", OPTION_TEXT, PLACE(public_url), 0},
    {"oidc", OPTION_TEXT, PLACE(oidc), 0},
    {"no-basic", OPTION_FLAG, PLACE(no_basic), 0},
    {"trust-proxy", OPTION_NETWORK, PLACE(proxies), 0},
    {"verbose", OPTION_FLAG, PLACE(verbose), 0},
    {"help", OPTION_FLAG, PLACE(help), 0},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static void set_defaults(struct serve_options *out)
{
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  *out = (struct serve_options){.listen = "127.0.0.1:8080",
                                .memory = (size_t)2 << 30,
                                .result_size = (size_t)100 << 30,
                                .user_files = (size_t)10 << 30,
                                .workers = cores > 128 ? 64
                                           : cores > 4 ? cores / 2
                                                       : 2,
                                .jobs = 1,
                                .user_requests = 32,
                                .user_jobs = 1000,
                                .all_jobs = 10000,
                                .request_time = 3600,
                                .job_time = 7 * 86400.0};
}

static int list_add(struct option_list *list, const char *value)
{
  if (list->count == SERVE_LIST_MOST)
    return -1;
  list->values[list->count++] = value;
  return 0;
}

static int take_value(const struct option_row *row, const char *value, struct serve_options *out)
{
  void *place = (char *)out + row->place;
  switch (row->kind) {
  case OPTION_TEXT:
    *(const char **)place = value;
    return -1;
  case OPTION_LIST:
    return list_add(place, value) == 0
               ? -1
               : command_usage("serve", "--%s may be given at most %d times", row->name, SERVE_LIST_MOST);
  case OPTION_FLAG:
    *(bool *)place = true;
    return -1;
  case OPTION_SIZE:
    return command_size(value, place) == 0
               ? -1
               : command_usage("serve", "--%s wants a size such as 512M, not '%s'", row->name, value);
  case OPTION_TIME:
    return command_duration(value, place) == 0
               ? -1
               : command_usage("serve", "--%s wants a time such as 90s, 15m, 12h or 7d, not '%s'", row->name, value);
  case OPTION_NETWORK:
    return proxy_networks_add(place, value) == 0
               ? -1
               : command_usage("serve", "--%s wants ADDRESS or ADDRESS/BITS, at most %d times, not '%s'", row->name,
                               PROXY_NETWORKS_MOST, value);
  case OPTION_INTEGER:
    break;
  }
  return command_integer(value, 1, row->most, place) == 0
             ? -1
             : command_usage("serve", "--%s wants a number from 1 to %ld, not '%s'", row->name, row->most, value);
}

static int check(struct serve_options *out)
{
  const char *url = out->public_url;
  struct error error = {0};
  if (url != NULL && (strncmp(url, "http", 4) != 0 || strlen(url) > BASE_URL_SIZE - 64))
    return command_usage("serve", "--public-url wants an http or https address, not '%s'", url);
  if (out->no_basic && out->oidc == NULL)
    return command_usage("serve", "--no-basic wants --oidc, or nobody could log in");
  for (size_t i = 0; i < out->namespaces.count; i++)
    if (web_prefix_check(out->namespaces.values[i], &error) != 0)
      return command_usage("serve", "--process-namespace: %s", error.message);
  if (out->tariff_text != NULL && tariff_parse(out->tariff_text, &out->tariff, &error) != 0)
    return command_usage("serve", "--tariff %s", error.message);
  return -1;
}

int serve_options_read(int argc, char **argv, struct serve_options *out)
{
  struct option options[ROWS + 1] = {{0}};
  for (int i = 0; i < ROWS; i++)
    options[i] = (struct option){rows[i].name, rows[i].kind == OPTION_FLAG ? no_argument : required_argument, NULL, 0};
  set_defaults(out);
  opterr = 0;
  int found, row = 0;
  while ((found = getopt_long(argc, argv, "h", options, &row)) != -1) {
    if (found == '?')
      return command_usage("serve", "unknown option or missing value");
    out->help = out->help || found == 'h';
    const int status = found == 0 ? take_value(&rows[row], optarg, out) : -1;
    if (status >= 0)
      return status;
  }
  if (out->help)
    return -1;
  if (optind != argc)
    return command_usage("serve", "takes no argument, not '%s'", argv[optind]);
  return check(out);
}

/* The options of `twincube serve`: one table says how each is called, of what kind it is and where it goes. */
#ifndef TWINCUBE_SERVER_COMMANDS_SERVE_OPTIONS_H
#define TWINCUBE_SERVER_COMMANDS_SERVE_OPTIONS_H

#include "server/auth/client_address.h"
#include "server/jobs/tariff.h"

#include <stdbool.h>
#include <stddef.h>

enum { SERVE_LIST_MOST = 64 };

struct option_list { /* of an option that may be given again and again */
  const char *values[SERVE_LIST_MOST];
  size_t count;
};

struct serve_options {
  const char *listen, *data, *specs, *public_url, *oidc, *workspaces;
  struct option_list stac;       /* folders that load_stac may read */
  struct option_list namespaces; /* what addresses start with where processes may be published */
  size_t memory, result_size, user_results, user_files; /* bytes; user_results 0: no limit */
  long threads, workers, jobs;                          /* threads 0: default */
  long user_requests, user_jobs, all_jobs;              /* that may wait: of one user, of all */
  double request_time, job_time;                        /* seconds */
  long keep_results;                                    /* days, 0: for ever */
  const char *tariff_text;                              /* as given, or NULL */
  struct tariff tariff;
  struct proxy_networks proxies; /* that are believed */
  bool verbose, sweep, no_basic, help;
};

/* The defaults, then what the command line says: -1 to go on, else an exit status, the reason being printed. */
int serve_options_read(int argc, char **argv, struct serve_options *out);

#endif

/* What an operator may change while the server runs: one struct that all who ask share. Each member is read by itself,
 * when it is needed; what has begun keeps what it began with. */
#ifndef TWINCUBE_SERVER_JOBS_SERVER_LIMITS_H
#define TWINCUBE_SERVER_JOBS_SERVER_LIMITS_H

#include "server/jobs/tariff.h"

#include <stdatomic.h>
#include <stdint.h>

struct server_limits {
  _Atomic uint64_t user_files;           /* bytes of files that a user may upload, and of what lies in workspaces */
  _Atomic uint64_t user_results;         /* bytes of results that a user may keep, 0: no limit */
  _Atomic double request_seconds;        /* of a synchronous request */
  _Atomic double job_seconds;            /* of a run of a job */
  _Atomic long keep_days;                /* of results after their job finished, 0: for ever */
  _Atomic long user_jobs, all_jobs;      /* that may be queued: of one user, of all */
  _Atomic(const struct tariff *) tariff; /* one that was replaced stays readable */
};

#endif

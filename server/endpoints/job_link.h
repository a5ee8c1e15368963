/* Links to what belongs to a job, for whoever holds them: signed, for a time, for one run of the job, and until its
 * owner changes the password. */
#ifndef TWINCUBE_SERVER_ENDPOINTS_JOB_LINK_H
#define TWINCUBE_SERVER_ENDPOINTS_JOB_LINK_H

#include "server/auth/signed_url.h"
#include "server/server.h"

enum { JOB_LINK_VERSION = PASSWORD_HASH_SIZE + 32, ALL_RUNS = -1 };

struct job_link {
  const char *name;               /* of the file */
  int64_t expires;                /* Unix seconds */
  const char *signature;          /* as somebody brings it */
  char version[JOB_LINK_VERSION]; /* see job_link_begin */
};

/* What links of this run (or ALL_RUNS) of the job are good for, once for all of them. */
int job_link_begin(const struct exchange *exchange, const struct job *job, int64_t run, struct job_link *link,
                   struct error *error);
void job_link_sign(const struct exchange *exchange, const char *job, const struct job_link *link,
                   char signature[SIGNATURE_SIZE]);
/* Whether we made a link that somebody brings, and it has not expired. Errors PermissionsInsufficient,
 * ResultLinkExpired. */
int job_link_check(const struct exchange *exchange, const char *job, const struct job_link *link, struct error *error);
/* Whether a link that was checked is still for the job as it is. Error ResultLinkExpired. */
int job_link_is_current(const struct exchange *exchange, const struct job *job, int64_t run, struct job_link *link,
                        struct error *error);

#endif

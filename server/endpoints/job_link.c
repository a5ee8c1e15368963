/* The version that a link stands for is the number of the run with the owner's password, as the store keeps it: hashed
 * with a salt that each change draws anew. */
#include "server/endpoints/job_link.h"

#include <inttypes.h>
#include <stdio.h>

int job_link_begin(const struct exchange *exchange, const struct job *job, int64_t run, struct job_link *link,
                   struct error *error)
{
  char password[PASSWORD_HASH_SIZE] = "";
  bool found = false;
  if (store_user_hash(exchange->store, job->owner, password, &found, error) != 0)
    return -1;
  snprintf(link->version, sizeof link->version, "%" PRId64 "\n%s", run, password);
  return 0;
}

static struct signed_link as_signed(const char *job, const struct job_link *link)
{
  return (struct signed_link){.job = job, .name = link->name, .version = link->version, .expires = link->expires};
}

void job_link_sign(const struct exchange *exchange, const char *job, const struct job_link *link,
                   char signature[SIGNATURE_SIZE])
{
  const struct signed_link whole = as_signed(job, link);
  signed_url_sign(exchange->server->secret, &whole, signature);
}

int job_link_check(const struct exchange *exchange, const char *job, const struct job_link *link, struct error *error)
{
  const struct signed_link whole = as_signed(job, link);
  if (signed_url_check(exchange->server->secret, &whole, link->signature) != 0)
    return error_set(error, ERROR_PermissionsInsufficient, "the link's signature is not valid");
  if (link->expires < store_now() / 1000)
    return error_set(error, ERROR_ResultLinkExpired, "the link has expired; please ask for a new one");
  return 0;
}

int job_link_is_current(const struct exchange *exchange, const struct job *job, int64_t run, struct job_link *link,
                        struct error *error)
{
  if (job_link_begin(exchange, job, run, link, error) != 0)
    return -1;
  const struct signed_link whole = as_signed(job->id, link);
  if (signed_url_is_current(exchange->server->secret, &whole, link->signature) != 0)
    return error_set(error, ERROR_ResultLinkExpired,
                     "the link was for an earlier run of the job, or its owner has ended it; please ask for a new one");
  return 0;
}

/* Failures are counted by client and by name from a client: nobody can lock out another's account, and guessing is
 * slow. Behind one address (a proxy, NAT) may be many people: a name that has logged in from there is held up by its
 * own failures only. */
#ifndef TWINCUBE_SERVER_AUTH_LOGIN_LIMIT_H
#define TWINCUBE_SERVER_AUTH_LOGIN_LIMIT_H

struct login_limit; /* thread safe */

struct login_limit *login_limit_new(void); /* or NULL: out of memory */
void login_limit_free(struct login_limit *limit);

/* Seconds until the client (an address) may try that name again; 0: now. */
unsigned login_limit_wait(struct login_limit *limit, const char *address, const char *name);
/* Counts a failure. */
void login_limit_count(struct login_limit *limit, const char *address, const char *name);
/* Notes that the client has logged in by that name. */
void login_limit_welcome(struct login_limit *limit, const char *address, const char *name);

#endif

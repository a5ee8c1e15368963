/* Which addresses (URLs) a request of ours may have that a user or a document named: one list of the operator's. */
#ifndef TWINCUBE_SERVER_WEB_WEB_RULE_H
#define TWINCUBE_SERVER_WEB_WEB_RULE_H

#include "server/web/web_address.h"

#include "datacube/base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct web_rule {              /* all zero: nothing may be asked */
  const char *const *prefixes; /* "https://example.org/processes/"; borrowed */
  size_t prefix_count;
  bool is_private; /* hosts may be on this machine and its networks, whatever the prefix */
};

/* Whether a text can stand in the list: http or https, a host, perhaps a port and a path; no user, query or fragment.
 * Error ServerConfigInvalid. */
int web_prefix_check(const char *prefix, struct error *error);

/* Whether an address may be asked, and how far its host may be: scheme, host and port are those of a prefix, and the
 * path is that of the prefix or goes on from there at a slash. Dots in paths count as what they mean; escaped ones, and
 * slashes, are refused, and so is a user in the address. A private host needs a prefix that names it as a number or as
 * localhost, or is_private: a name of the net does not lead into ours. What a name resolves to is judged by web_fetch.
 * Error PermissionsInsufficient says what stood against it. */
int web_rule_check(const struct web_rule *rule, const char *url, enum web_reach *reach, struct error *error);

/* Whether a server at the address `from`, which may be asked, may lead to `to`: to the same scheme or to https, and to
 * a host that `hosts` names, or its own. Hosts are separated by blanks, of any port; "*.example.org" are all below
 * that. A private one must be named as a number or as localhost. Error PermissionsInsufficient. */
int web_redirect_check(const char *from, const char *to, const char *hosts, enum web_reach *reach, struct error *error);

#endif

/* Groups and entitlements, as identity federations write them, against an operator's rule.
 *
 *   urn:mace:egi.eu:group:vo.example.org:role=member#aai.egi.eu          EGI Check-in
 *   NAMESPACE:group:GROUP[:SUBGROUP…][:role=ROLE][#AUTHORITY]            AARC-G002, AARC-G069
 *   /openeo/admins                                                       anything else: compared as it is
 *
 * A member of a subgroup is one of the group above it. */
#ifndef TWINCUBE_SERVER_AUTH_ENTITLEMENT_H
#define TWINCUBE_SERVER_AUTH_ENTITLEMENT_H

#include "server/auth/oidc_settings.h"

/* Whether an entitlement fulfils a rule. A rule without a role is fulfilled with any role and from any subgroup, one
 * with a role by that role in that very group; one without an authority by any. */
bool entitlement_fulfils(const char *entitlement, const char *rule);

/* Roles and bytes of results that the claims give: the union of the roles, the most of the bytes (0: none is named). */
struct rights {
  unsigned roles; /* of enum role */
  uint64_t results;
};
struct rights rights_of_claims(const json_t *claims, const struct oidc_provider_settings *settings);

#endif

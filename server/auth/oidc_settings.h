/* The OpenID Connect providers that a server trusts, as its operator names them: a JSON document.
 *
 * {"providers": [{"id": "egi", "title": "EGI Check-in", "issuer": "https://aai.egi.eu/auth/realms/egi",
 *   "scopes": ["openid", "email", "eduperson_entitlement"],
 *   "default_clients": [{"id": "…", "grant_types": ["urn:ietf:params:oauth:grant-type:device_code+pkce"]}],
 *   "audience": ["https://eo.example.org"], "user_info": "always", "users": "entitled",
 *   "rules": [{"entitlement": "urn:mace:egi.eu:group:vo.example.org", "roles": ["user"], "results": "50G"}]}]}
 *
 * All of it is read once at the start; a key that is not known is an error that names its place. */
#ifndef TWINCUBE_SERVER_AUTH_OIDC_SETTINGS_H
#define TWINCUBE_SERVER_AUTH_OIDC_SETTINGS_H

#include "datacube/base/error.h"

#include <jansson.h>
#include <stdint.h>

enum { OIDC_PROVIDERS_MOST = 16, CLAIM_SUBJECT_MAX = 255 };

enum role { ROLE_USER = 1, ROLE_OPERATOR = 2 };

/* Whoever has the entitlement has the roles, and may keep so many bytes of results. */
struct entitlement_rule {
  const char *entitlement; /* as entitlement.h compares */
  unsigned roles;          /* of enum role; ROLE_USER where none is named */
  uint64_t results;        /* bytes; 0: nothing is said */
};

enum user_info_use {
  USER_INFO_NEVER,  /* opaque tokens are refused */
  USER_INFO_OPAQUE, /* the provider is asked about tokens that do not speak for themselves */
  USER_INFO_ALWAYS  /* and for the claims of the others */
};

/* Texts and lists belong to the document; lists are arrays of texts that are not empty, or NULL. */
struct oidc_provider_settings {
  const char *id;                  /* of `Bearer oidc/ID/…`: letters, digits, _; at most 20 */
  const char *issuer;              /* without a slash at its end */
  const char *title, *description; /* description: or NULL */
  const json_t *scopes, *default_clients, *authorization_parameters, *links; /* shown as they are, or NULL */
  const json_t *audience;                                                    /* one of these must be in `aud` */
  const json_t *clients;            /* one of these must be `azp` (or client_id) */
  const json_t *required_scopes;    /* of the token, all of them */
  const json_t *entitlement_claims; /* names of claims that hold entitlements and groups */
  const char *ca_file;              /* certificates to trust instead of the system's, or NULL */
  bool any_audience;                /* tokens for others are taken, too */
  bool allow_http;                  /* without TLS elsewhere than on this machine */
  bool entitled_only;               /* users need a rule; else whoever the provider knows is one */
  enum user_info_use user_info;
  long clock_skew;                /* seconds */
  long refresh_seconds;           /* discovery and keys are asked for again after so long */
  long pause_seconds;             /* and because of a token with an unknown key at most so often */
  long user_info_seconds;         /* an answer about a token is remembered so long */
  struct entitlement_rule *rules; /* owned */
  size_t rule_count;
};

struct oidc_settings {
  json_t *document; /* owned */
  struct oidc_provider_settings providers[OIDC_PROVIDERS_MOST];
  size_t count;
};

/* Reads the file. Errors FileNotFound, and ServerConfigInvalid for what is wrong in it. */
int oidc_settings_read(const char *path, struct oidc_settings **out, struct error *error);
/* The same of a document, which is taken in any case. */
int oidc_settings_from(json_t *document, struct oidc_settings **out, struct error *error);
void oidc_settings_free(struct oidc_settings *settings); /* NULL is allowed */

/* Whether an array holds a text; NULL is held by none. */
bool texts_have(const json_t *texts, const char *text);

#endif

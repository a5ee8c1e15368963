#include "server/auth/claims.h"

#include <math.h>
#include <string.h>

const char *claims_text(const json_t *claims, const char *name, size_t most)
{
  const json_t *claim = json_object_get(claims, name);
  size_t length = json_string_length(claim);
  return length > 0 && length <= most ? json_string_value(claim) : NULL;
}

/* A NumericDate; -1: there is none, -2: it is no such number. */
static double claim_time(const json_t *claims, const char *name)
{
  const json_t *claim = json_object_get(claims, name);
  if (claim == NULL)
    return -1;
  double time = json_is_number(claim) ? json_number_value(claim) : -2;
  return isfinite(time) && time >= 0 ? time : -2;
}

static int check_times(const json_t *claims, double now, double skew, struct error *error)
{
  const double ends = claim_time(claims, "exp"), starts = claim_time(claims, "nbf"), made = claim_time(claims, "iat");
  if (ends < 0)
    return error_set(error, ERROR_TokenInvalid, "the token does not say when it ends (exp)");
  if (ends + skew <= now)
    return error_set(error, ERROR_TokenInvalid, "the token has expired; please log in again");
  if (starts == -2 || made == -2)
    return error_set(error, ERROR_TokenInvalid, "a time of the token (nbf, iat) is none");
  if (starts > now + skew || made > now + skew)
    return error_set(error, ERROR_TokenInvalid, "the token is not good yet (nbf, iat): compare the clocks");
  return 0;
}

/* Issuers are published without a slash at their end, whether or not they have one. */
static bool is_issuer(const char *claim, const char *issuer)
{
  const size_t length = strlen(issuer);
  return claim != NULL && strncmp(claim, issuer, length) == 0 &&
         (claim[length] == '\0' || strcmp(claim + length, "/") == 0);
}

static bool audience_is_ours(const json_t *claims, const struct oidc_provider_settings *settings)
{
  const json_t *audience = json_object_get(claims, "aud"), *one;
  size_t i;
  if (json_array_size(settings->audience) == 0)
    return true;
  json_array_foreach(audience, i, one) if (texts_have(settings->audience, json_string_value(one))) return true;
  return texts_have(settings->audience, json_string_value(audience));
}

/* The client that asked for the token: azp, or client_id as RFC 9068 has it. */
static bool client_is_ours(const json_t *claims, const struct oidc_provider_settings *settings)
{
  const json_t *party = json_object_get(claims, "azp");
  if (party == NULL)
    party = json_object_get(claims, "client_id");
  return json_array_size(settings->clients) == 0 || texts_have(settings->clients, json_string_value(party));
}

/* Whether a list of words between blanks holds one. */
static bool words_have(const char *words, const char *word)
{
  const size_t length = strlen(word);
  while (words != NULL && *words != '\0') {
    words += strspn(words, " ");
    size_t found = strcspn(words, " ");
    if (found == length && memcmp(words, word, length) == 0)
      return true;
    words += found;
  }
  return false;
}

static int check_scopes(const json_t *claims, const json_t *wanted, struct error *error)
{
  const json_t *scope = json_object_get(claims, "scope"), *one;
  size_t i;
  if (scope == NULL)
    scope = json_object_get(claims, "scp");
  json_array_foreach(
      wanted, i, one) if (!texts_have(scope, json_string_value(one)) &&
                          !words_have(json_string_value(scope),
                                      json_string_value(one))) return error_set(error, ERROR_PermissionsInsufficient,
                                                                                "the token lacks the scope '%s'",
                                                                                json_string_value(one));
  return 0;
}

int claims_check(const json_t *claims, const struct oidc_provider_settings *settings, int64_t now, struct error *error)
{
  if (!is_issuer(json_string_value(json_object_get(claims, "iss")), settings->issuer))
    return error_set(error, ERROR_TokenInvalid, "the token is of another issuer than '%s'", settings->issuer);
  if (claims_text(claims, "sub", CLAIM_SUBJECT_MAX) == NULL)
    return error_set(error, ERROR_TokenInvalid, "the token does not say whose it is (sub)");
  if (check_times(claims, (double)now, (double)settings->clock_skew, error) != 0)
    return -1;
  if (!audience_is_ours(claims, settings))
    return error_set(error, ERROR_TokenInvalid, "the token is meant for another audience (aud)");
  if (!client_is_ours(claims, settings))
    return error_set(error, ERROR_TokenInvalid, "the token was made for another client (azp)");
  if (json_object_get(claims, "cnf") != NULL)
    return error_set(error, ERROR_TokenInvalid,
                     "the token is bound to a key of its holder (cnf), which is not checked");
  return check_scopes(claims, settings->required_scopes, error);
}

#include "server/auth/entitlement.h"

#include <string.h>
#include <strings.h>

struct text_span {
  const char *text;
  size_t length;
};

/* An entitlement in the form of AARC-G002, in pieces of the text. */
struct group_urn {
  struct text_span name_space; /* "urn:mace:egi.eu" */
  struct text_span group;      /* "vo.example.org:subgroup" */
  struct text_span role;       /* "member"; length 0: none */
  struct text_span authority;  /* length 0: none */
};

static bool span_equal(struct text_span a, struct text_span b)
{
  return a.length == b.length && memcmp(a.text, b.text, a.length) == 0;
}

/* "urn" and the namespace after it do not tell capitals from small letters (RFC 8141). */
static bool name_space_equal(struct text_span a, struct text_span b)
{
  return a.length == b.length && strncasecmp(a.text, b.text, a.length) == 0;
}

/* false where the text is no group in that form. */
static bool read_group(const char *text, struct group_urn *out)
{
  static const char mark[] = ":group:", role[] = ":role=";
  const char *found = strncasecmp(text, "urn:", 4) == 0 ? strstr(text, mark) : NULL;
  if (found == NULL)
    return false;
  *out = (struct group_urn){.name_space = {text, (size_t)(found - text)}};
  const char *group = found + sizeof mark - 1;
  const char *end = group + strcspn(group, "#");
  if (*end == '#')
    out->authority = (struct text_span){end + 1, strlen(end + 1)};
  out->group = (struct text_span){group, (size_t)(end - group)};
  const char *at = strstr(group, role);
  if (at != NULL && at < end) {
    out->group.length = (size_t)(at - group);
    out->role = (struct text_span){at + sizeof role - 1, (size_t)(end - at) - (sizeof role - 1)};
  }
  return out->group.length > 0;
}

static bool group_is_within(struct text_span group, struct text_span above)
{
  return group.length > above.length && memcmp(group.text, above.text, above.length) == 0 &&
         group.text[above.length] == ':';
}

bool entitlement_fulfils(const char *entitlement, const char *rule)
{
  struct group_urn have, want;
  if (!read_group(rule, &want) || !read_group(entitlement, &have))
    return strcmp(entitlement, rule) == 0;
  if (!name_space_equal(have.name_space, want.name_space) ||
      (want.authority.length > 0 && !span_equal(have.authority, want.authority)))
    return false;
  if (want.role.length > 0)
    return span_equal(have.group, want.group) && span_equal(have.role, want.role);
  return span_equal(have.group, want.group) || group_is_within(have.group, want.group);
}

static void apply_rules(const char *entitlement, const struct oidc_provider_settings *settings, struct rights *rights)
{
  for (size_t i = 0; entitlement != NULL && i < settings->rule_count; i++) {
    const struct entitlement_rule *rule = &settings->rules[i];
    if (!entitlement_fulfils(entitlement, rule->entitlement))
      continue;
    rights->roles |= rule->roles;
    if (rule->results > rights->results)
      rights->results = rule->results;
  }
}

/* The claim of a name; a dot leads into an object: realm_access.roles. */
static const json_t *find_claim(const json_t *claims, const char *name)
{
  const json_t *claim = json_object_get(claims, name);
  const char *dot = strchr(name, '.');
  if (claim != NULL || dot == NULL)
    return claim;
  return json_object_get(json_object_getn(claims, name, (size_t)(dot - name)), dot + 1);
}

static void apply_claim(const json_t *claim, const struct oidc_provider_settings *settings, struct rights *rights)
{
  const json_t *one;
  size_t i;
  apply_rules(json_string_value(claim), settings, rights);
  json_array_foreach(claim, i, one) apply_rules(json_string_value(one), settings, rights);
}

struct rights rights_of_claims(const json_t *claims, const struct oidc_provider_settings *settings)
{
  static const char *const usual[] = {"eduperson_entitlement", "entitlements", "groups"};
  struct rights rights = {.roles = settings->entitled_only ? 0 : ROLE_USER};
  const json_t *name;
  size_t i;
  json_array_foreach(settings->entitlement_claims, i, name)
      apply_claim(find_claim(claims, json_string_value(name)), settings, &rights);
  for (i = 0; settings->entitlement_claims == NULL && i < sizeof usual / sizeof usual[0]; i++)
    apply_claim(find_claim(claims, usual[i]), settings, &rights);
  return rights;
}

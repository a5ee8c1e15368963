/* The options as texts: --help, the example of a file, and what is in force. */
#include "server/commands/serve_options.h"

#include <stdlib.h>
#include <string.h>

enum { HELP_COLUMN = 24, WIDTH = 118 };

/* Prints a text in lines that begin with `lead`, the first of them being begun already. */
static void print_wrapped(FILE *out, const char *text, const char *lead)
{
  const size_t room = WIDTH - strlen(lead);
  while (strlen(text) > room) {
    size_t cut = room;
    while (text[cut] != ' ')
      cut--;
    fprintf(out, "%.*s\n%s", (int)cut, text, lead);
    text += cut + 1;
  }
  fprintf(out, "%s\n", text);
}

void serve_options_help(FILE *out)
{
  for (size_t i = 0; i < option_row_count; i++) {
    const struct option_row *row = &option_rows[i];
    char left[64], text[512], lead[HELP_COLUMN + 1];
    if (row->heading != NULL)
      fprintf(out, "%s%s\n", i > 0 ? "\n" : "", row->heading);
    snprintf(left, sizeof left, "  --%s%s%s", row->name, row->value != NULL ? " " : "",
             row->value != NULL ? row->value : "");
    snprintf(text, sizeof text, "%s%s%s%s", row->help, row->standard != NULL ? " (default " : "",
             row->standard != NULL ? row->standard : "", row->standard != NULL ? ")" : "");
    snprintf(lead, sizeof lead, "%*s", HELP_COLUMN, "");
    fprintf(out, "%-*s", HELP_COLUMN - 2, left);
    fprintf(out, strlen(left) > HELP_COLUMN - 2 ? "\n%s" : "  ", lead);
    print_wrapped(out, text, lead);
  }
}

static const char example_head[] =
    "# Settings of `twincube serve --config FILE`: every key that there is, with its default, or an\n"
    "# example where it has none.\n"
    "# `twincube config check FILE` says what a file means, or what is wrong with it and in which line.\n"
    "# What the command line says wins over the file. Keys marked (reload) change while the server runs, by SIGHUP:\n"
    "# systemctl reload twincube, or kill -HUP.\n";

static const char example_oidc[] =
    "#\n"
    "# [[oidc]]                                       # a provider; another one is another [[oidc]]\n"
    "# id = \"egi\"                                     # of `Bearer oidc/egi/TOKEN`: letters, digits, _; at most 20\n"
    "# title = \"EGI Check-in\"                         # for people\n"
    "# description = \"Any account of your institute\"  # likewise; may be left out\n"
    "# issuer = \"https://aai.egi.eu/auth/realms/egi\"  # https, or http on this machine\n"
    "# audience = [\"https://eo.example.org\"]          # one of these three is wanted: tokens are taken for one of "
    "these,\n"
    "# clients = [\"my-client\"]                        # and given to one of these,\n"
    "# any_audience = false                           # or else for anybody\n"
    "# scopes = [\"openid\", \"email\"]                   # that clients ask for\n"
    "# required_scopes = []                           # that a token must have\n"
    "# entitlement_claims = [\"eduperson_entitlement\"] # claims that hold groups and entitlements\n"
    "# user_info = \"opaque\"                           # never, opaque or always: which tokens the provider is asked "
    "about\n"
    "# users = \"auto\"                                 # auto: whom the provider knows; entitled: whom a rule names\n"
    "# clock_skew = 60                                # seconds that clocks may differ\n"
    "# refresh_seconds = 3600                         # keys are asked for again after so long,\n"
    "# pause_seconds = 30                             # and because of an unknown key at most so often\n"
    "# user_info_seconds = 60                         # an answer about a token is remembered so long\n"
    "# ca_file = \"/etc/ssl/private-ca.pem\"            # certificates to trust instead of the system's\n"
    "# allow_http = false                             # without TLS elsewhere than on this machine\n"
    "#\n"
    "# [[oidc.default_clients]]                       # that openEO clients may use\n"
    "# id = \"my-client\"\n"
    "# grant_types = [\"urn:ietf:params:oauth:grant-type:device_code+pkce\", \"refresh_token\"]\n"
    "#\n"
    "# [[oidc.rules]]                                 # whoever has the entitlement has the roles (user, operator)\n"
    "# entitlement = \"urn:mace:egi.eu:group:vo.example.org\"\n"
    "# roles = [\"user\"]\n"
    "# results = \"50G\"                                # and may keep so many bytes of results\n";

static const char example_federation[] =
    "#\n"
    "# [[federation]]                                 # a back-end; another one is another [[federation]]\n"
    "# id = \"cdse\"                                    # of its collections, cdse|COLLECTION: letters, digits, _, -\n"
    "# url = \"https://openeo.example.org/openeo/1.2\"  # its openEO API, with the version\n"
    "# title = \"Example data space\"                   # for people\n"
    "# description = \"Sentinels over Europe\"          # likewise; may be left out\n"
    "# token_file = \"/etc/twincube/cdse.token\"        # our own bearer token there; nobody else's goes there\n"
    "# ca_file = \"/etc/ssl/private-ca.pem\"            # certificates to trust instead of the system's\n"
    "# experimental = false                           # told to clients, as is\n"
    "# deprecated = false                             # this\n"
    "# result_size = \"2G\"                             # most bytes of a result that is fetched from there\n"
    "# job_size = \"64M\"                               # what is expected to be larger is a batch job there\n"
    "# aliases = {S2_L2A = \"SENTINEL2_L2A\"}           # its SENTINEL2_L2A is listed as S2_L2A, together with those\n"
    "#                                                # of the same name here and of other back-ends\n";

static const char example_remote[] =
    "#\n"
    "# [[remote]]                                     # addresses that may be read, and who we are there\n"
    "# url = \"https://dcache.example.org/scenes/\"     # what they begin with\n"
    "# token_file = \"/etc/twincube/dcache.token\"      # a bearer token\n"
    "# private = false                                # its host may be on our own networks\n"
    "# redirects = [\"*.pools.example.org\"]            # hosts to which its answers may lead, without the token\n"
    "#\n"
    "# [[remote]]\n"
    "# url = \"https://data.example.org/\"\n"
    "# user = \"twincube\"                              # a user with a password\n"
    "# password_file = \"/etc/twincube/password\"\n"
    "#\n"
    "# [[remote]]\n"
    "# url = \"s3://bucket/start/\"                     # the same of S3\n"
    "# endpoint = \"https://s3.example.org\"            # in place of AWS's\n"
    "# region = \"us-east-1\"\n"
    "# key_id = \"AKIAEXAMPLE\"                         # without a key nothing is signed\n"
    "# secret_file = \"/etc/twincube/s3.secret\"\n"
    "# session_file = \"/etc/twincube/s3.session\"      # of a key that holds for a while\n"
    "# virtual_host = false                           # the endpoint has a host for each bucket\n";

static const char example_source[] =
    "#\n"
    "# [[source]]                                     # a source that becomes a collection; wants `refresh = true`\n"
    "# id = \"S2\"                                      # of the collection; options are those of `twincube catalogue "
    "add`\n"
    "# place = \"https://stac.example.org/s2.json\"     # or a path of this machine\n"
    "# kind = \"stac\"                                  # as its --source; or items, as `twincube catalogue load` has "
    "it\n"
    "# refresh = 3600                                 # look again after so many seconds; folders of this machine are\n"
    "#                                                # followed as they change\n"
    "# title = \"Sentinel-2\"\n"
    "# license = \"CC-BY-4.0\"\n"
    "# providers = [\"ESA\", {name = \"us\", url = \"https://example.org\"}]\n"
    "# keywords = [\"optical\"]\n"
    "# datetime = \"_([0-9]{8})_\"                      # where dates and bands are in files' names\n"
    "# band = \"_(B[0-9]+)[.]tif\"\n"
    "# nodata = [0, {band = \"QA\", value = 1}]\n"
    "# crs = \"32632\"\n"
    "# resolution = 10.0\n"
    "# follow = false\n"
    "# unpack = false\n"
    "# remote = [\"https://data.example.org/\"]         # that may be read for it, beside its own host and "
    "[[remote]]\n";

static const char example_workspace[] =
    "#\n"
    "# [[workspace]]                                  # a place to which results may be exported, by its name only\n"
    "# name = \"archive\"                               # letters, digits, - _ . ~\n"
    "# title = \"The group's archive\"                 # for people; may be left out\n"
    "# description = \"Kept for ten years\"            # likewise\n"
    "# kind = \"s3\"                                    # folder, s3, webdav or stac\n"
    "# url = \"s3://bucket/results/\"                  # or a folder's path, or an address; accounts are [[remote]]'s\n"
    "# href = \"https://archive.example.org/\"         # where readers find its files, where that is elsewhere\n"
    "# part_mib = 64                                  # s3: longer files go in parts of so many MiB, 5 to 5120\n"
    "# users = [\"alice\"]                             # who may write; without it all users\n"
    "#\n"
    "# [[workspace]]\n"
    "# name = \"catalogue\"\n"
    "# kind = \"stac\"                                  # a STAC API with transactions\n"
    "# url = \"https://stac.example.org/\"\n"
    "# files = \"archive\"                              # the workspace in which files of its items lie\n";

/* What stands for the value in the example: the default, or something of the kind. */
static void print_example_value(const struct option_row *row, FILE *out)
{
  const bool is_bare = row->kind == OPTION_FLAG || row->kind == OPTION_INTEGER;
  const char *text = row->standard != NULL                                         ? row->standard
                     : row->kind == OPTION_FLAG                                    ? "false"
                     : row->kind == OPTION_INTEGER                                 ? "1"
                     : row->kind == OPTION_PATHS                                   ? "/srv/stac"
                     : row->kind == OPTION_PREFIXES || row->kind == OPTION_REMOTES ? "https://example.org/"
                     : row->kind == OPTION_WORKSPACES                              ? "archive=/srv/archive"
                     : row->kind == OPTION_SOURCES                                 ? "L8=/srv/landsat"
                     : row->kind == OPTION_USERS                                   ? "alice"
                     : row->kind == OPTION_NETWORKS                                ? "127.0.0.1"
                     : row->kind == OPTION_BACKENDS ? "cdse=https://openeo.example.org/openeo/1.2"
                     : row->kind == OPTION_URL      ? "https://eo.example.org"
                     : row->kind == OPTION_DATABASE ? "postgresql://twincube@db.example.org/twincube"
                     : row->kind == OPTION_TARIFF   ? "currency=EUR,cpu-hour=0.05,gb-read=0.01"
                     : row->kind == OPTION_SIZE     ? "50G"
                                                    : "/path";
  const bool is_list = option_is_repeated(row);
  fprintf(out, is_list ? "# %s = [\"%s\"]\n" : is_bare ? "# %s = %s\n" : "# %s = \"%s\"\n", row->name, text);
}

void serve_options_example(FILE *out)
{
  fputs(example_head, out);
  for (size_t i = 0; i < option_row_count; i++) {
    const struct option_row *row = &option_rows[i];
    char text[512];
    if (row->is_no_key)
      continue;
    if (row->heading != NULL)
      fprintf(out, "\n## %s\n", row->heading);
    snprintf(text, sizeof text, "%s%s.", row->help, row->is_live ? " (reload)" : "");
    if (text[0] >= 'a' && text[0] <= 'z')
      text[0] = (char)(text[0] - 'a' + 'A');
    fputs("\n# ", out);
    print_wrapped(out, text, "# ");
    print_example_value(row, out);
  }
  fputs("\n## Providers as tables, in place of `oidc`, back-ends, other hosts, sources and workspaces. Tables stand "
        "behind all other keys.\n",
        out);
  fputs(example_oidc, out);
  fputs(example_federation, out);
  fputs(example_remote, out);
  fputs(example_source, out);
  fputs(example_workspace, out);
}

void serve_options_print(const struct serve_options *options, FILE *out)
{
  for (size_t i = 0; i < option_row_count; i++) {
    const char *name = option_rows[i].name;
    const json_t *value = json_object_get(options->values, name);
    if (option_rows[i].is_no_key || value == NULL)
      continue;
    const int line = json_object_get(options->file.values, name) == value ? toml_line(&options->file, name) : 0;
    char *text = option_rows[i].kind == OPTION_DATABASE ? strdup("\"(not shown: it may hold a password)\"")
                                                        : json_dumps(value, JSON_ENCODE_ANY);
    if (name == NULL || text == NULL)
      continue;
    if (value == options->oidc_tables)
      fprintf(out, "# [[oidc]]: providers by tables, %zu of them, the first in line %d\n", json_array_size(value),
              line);
    else if (line > 0 && json_is_object(json_array_get(value, 0)))
      fprintf(out, "# [[%s]]: tables, %zu of them, the first in line %d\n", name, json_array_size(value), line);
    else if (line > 0)
      fprintf(out, "%s = %s  # line %d\n", name, text, line);
    else
      fprintf(out, "%s = %s  # default\n", name, text);
    free(text);
  }
}

/* Command line, file and defaults are each a JSON object of values; for each row of the table the first that has one is
 * read into its place. */
#include "server/commands/serve_options.h"

#include "server/commands/command.h"
#include "server/server.h"
#include "server/store/store.h"
#include "server/web/web_rule.h"

#include "datacube/base/logger.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS_MOST = 64 };

bool option_is_repeated(const struct option_row *row)
{
  return row->kind == OPTION_PATHS || row->kind == OPTION_PREFIXES || row->kind == OPTION_NETWORKS ||
         row->kind == OPTION_BACKENDS || row->kind == OPTION_REMOTES || row->kind == OPTION_USERS ||
         row->kind == OPTION_WORKSPACES || row->kind == OPTION_SOURCES;
}

/* ---- the command line ---- */

/* A value as the file would have it. */
static json_t *value_of_text(const struct option_row *row, const char *text)
{
  long number = 0;
  if (row->kind == OPTION_FLAG)
    return json_true();
  if (row->kind == OPTION_INTEGER && command_integer(text, 0, row->most, &number) == 0)
    return json_integer(number);
  return json_string(text);
}

static int note_option(const struct option_row *row, const char *text, json_t *given)
{
  json_t *value = value_of_text(row, text);
  if (!option_is_repeated(row))
    return json_object_set_new(given, row->name, value);
  json_t *list = json_object_get(given, row->name);
  if (list == NULL && json_object_set_new(given, row->name, list = json_array()) != 0)
    return -1;
  return json_array_append_new(list, value);
}

static const struct option_row *find_row(const char *name)
{
  for (size_t i = 0; i < option_row_count; i++)
    if (strcmp(option_rows[i].name, name) == 0)
      return &option_rows[i];
  return NULL;
}

/* Values that are no UTF-8 are no JSON strings, and refused. */
static int read_command_line(int argc, char **argv, json_t *given, struct error *error)
{
  struct option options[ROWS_MOST + 1] = {{0}};
  for (size_t i = 0; i < option_row_count && i < ROWS_MOST; i++)
    options[i] =
        (struct option){option_rows[i].name, option_rows[i].value == NULL ? no_argument : required_argument, NULL, 0};
  opterr = 0;
  optind = 0; /* begins anew: a reload reads the same command line */
  int found, row = 0;
  while ((found = getopt_long(argc, argv, "h", options, &row)) != -1) {
    if (found == '?')
      return error_set(error, ERROR_ServerConfigInvalid, "'%s' is no option, or wants a value",
                       command_refused_option(argv));
    const struct option_row *option = found == 'h' ? find_row("help") : &option_rows[row];
    if (note_option(option, optarg, given) != 0)
      return error_set(error, ERROR_ServerConfigInvalid, "--%s wants UTF-8 text", option->name);
  }
  if (optind != argc && json_object_get(given, "help") == NULL)
    return error_set(error, ERROR_ServerConfigInvalid, "takes no argument, not '%s'", argv[optind]);
  return 0;
}

/* ---- values ---- */

static int wants(struct error *error, const json_t *value, const char *what)
{
  char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
  error_set(error, ERROR_ServerConfigInvalid, "wants %s, not %.100s", what, text != NULL ? text : "this");
  free(text);
  return -1;
}

/* Each element of an array, or the value itself. */
static const json_t *element(const json_t *value, size_t i)
{
  return json_is_array(value) ? json_array_get(value, i) : i == 0 ? value : NULL;
}

static int take_list(const struct option_row *row, const json_t *value, void *place, struct error *error)
{
  const json_t *one;
  for (size_t i = 0; (one = element(value, i)) != NULL; i++) {
    struct option_list *list = place;
    const char *text = json_string_value(one);
    if (row->kind == OPTION_NETWORKS) {
      if (text == NULL || proxy_networks_add(place, text) != 0)
        return wants(error, one, "ADDRESS or ADDRESS/BITS, at most 16 of them");
      continue;
    }
    if (text == NULL || list->count == SERVE_LIST_MOST)
      return wants(error, one, "texts, at most 64 of them");
    if (row->kind == OPTION_PREFIXES && web_prefix_check(text, error) != 0)
      return -1;
    if (row->kind == OPTION_USERS && !user_name_is_valid(text))
      return wants(error, one, "names of users");
    list->values[list->count++] = text;
  }
  return 0;
}

/* "512M", or in a file also a number of bytes or seconds. */
static int take_measure(const struct option_row *row, const json_t *value, void *place, struct error *error)
{
  char number[32];
  snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
  const char *text = json_is_integer(value) ? number : json_string_value(value);
  if (row->kind == OPTION_SIZE && (text == NULL || command_size(text, place) != 0))
    return wants(error, value, "a size such as 512M");
  if (row->kind == OPTION_TIME && (text == NULL || command_duration(text, place) != 0))
    return wants(error, value, "a time such as 90s, 15m, 12h or 7d");
  return 0;
}

static int take_integer(const struct option_row *row, const json_t *value, long *place, struct error *error)
{
  char what[64];
  snprintf(what, sizeof what, "a number from 1 to %ld", row->most);
  if (!json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > row->most)
    return wants(error, value, what);
  *place = (long)json_integer_value(value);
  return 0;
}

/* Which of the words between bars. */
static int take_choice(const struct option_row *row, const json_t *value, unsigned *place, struct error *error)
{
  const char *text = json_string_value(value), *word = row->value;
  for (unsigned i = 0;; i++) {
    const size_t length = strcspn(word, "|");
    if (text != NULL && strlen(text) == length && memcmp(text, word, length) == 0) {
      *place = i;
      return 0;
    }
    if (word[length] == '\0')
      return wants(error, value, row->value);
    word += length + 1;
  }
}

static int take_text(const struct option_row *row, const json_t *value, struct serve_options *out, struct error *error)
{
  const char *text = json_string_value(value);
  if (text == NULL || text[0] == '\0')
    return wants(error, value, "a text");
  if (row->kind == OPTION_TARIFF)
    return tariff_parse(text, &out->tariff, error);
  const bool is_url = strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
  if (row->kind == OPTION_URL && (!is_url || strlen(text) > BASE_URL_SIZE - 64))
    return wants(error, value, "an http or https address");
  if (row->kind == OPTION_DATABASE && !store_place_is_shared(text))
    return error_set(error, ERROR_ServerConfigInvalid, "wants an address such as postgresql://HOST/DATABASE");
  *(const char **)((char *)out + row->place) = text;
  return 0;
}

static int take_value(const struct option_row *row, json_t *value, struct serve_options *out, struct error *error)
{
  void *place = (char *)out + row->place;
  switch (row->kind) {
  case OPTION_FLAG:
    *(bool *)place = json_is_true(value);
    return json_is_boolean(value) ? 0 : wants(error, value, "true or false");
  case OPTION_INTEGER:
    return take_integer(row, value, place, error);
  case OPTION_SIZE:
  case OPTION_TIME:
    return take_measure(row, value, place, error);
  case OPTION_CHOICE:
    return take_choice(row, value, place, error);
  case OPTION_PATHS:
  case OPTION_PREFIXES:
  case OPTION_USERS:
  case OPTION_NETWORKS:
    return take_list(row, value, place, error);
  case OPTION_BACKENDS:
    return federation_settings_read(value, place, error);
  case OPTION_REMOTES:
    return account_settings_add(place, value, error);
  case OPTION_WORKSPACES:
    return workspace_settings_read(value, place, error);
  case OPTION_SOURCES:
    return source_tables_read(value, place, error);
  case OPTION_PROVIDERS:
    if (json_is_array(value)) {
      out->oidc_tables = value;
      return 0;
    }
    return take_text(row, value, out, error);
  default:
    return take_text(row, value, out, error);
  }
}

/* ---- together: -1 to go on, else an exit status ---- */

static int at_line(const struct serve_options *options, const char *place, const char *message, struct error *error)
{
  error_set(error, ERROR_ServerConfigInvalid, "%s:%d: %s", options->config, toml_line(&options->file, place), message);
  return EXIT_FAILED;
}

/* What is wrong with an option, said of where it was given. */
static int wrong_option(const struct serve_options *options, const char *name, const char *message, struct error *error)
{
  char text[sizeof error->message];
  const bool is_of_file = json_object_get(options->values, name) == json_object_get(options->file.values, name);
  const bool has_place = strncmp(message, name, strlen(name)) == 0; /* "federation[0].url: …" */
  snprintf(text, sizeof text, "%s%s%s%s", is_of_file ? "" : "--", has_place ? "" : name, has_place ? "" : " ", message);
  if (is_of_file) {
    char place[sizeof error->message];
    snprintf(place, sizeof place, "%.*s", has_place ? (int)strcspn(message, ": ") : (int)strlen(name),
             has_place ? message : name);
    return at_line(options, place, text, error);
  }
  error_set(error, ERROR_ServerConfigInvalid, "%s", text);
  return EXIT_USAGE;
}

static int take_row(const struct option_row *row, const json_t *given, struct serve_options *out, struct error *error)
{
  struct error inner = {0};
  json_t *value = json_object_get(given, row->name);
  if (value == NULL && !row->is_no_key)
    value = json_object_get(out->file.values, row->name);
  json_t *standard = value == NULL && row->standard != NULL ? value_of_text(row, row->standard) : NULL;
  if (value == NULL && standard == NULL)
    return -1;
  json_object_set(out->values, row->name, value != NULL ? value : standard);
  json_decref(standard);
  if (take_value(row, json_object_get(out->values, row->name), out, &inner) == 0)
    return -1;
  return wrong_option(out, row->name, inner.message, error);
}

static int check_keys(const struct serve_options *options, struct error *error)
{
  const char *name;
  json_t *value;
  json_object_foreach(options->file.values, name, value)
  {
    char text[256];
    const struct option_row *row = find_row(name);
    snprintf(text, sizeof text, "there is no setting '%.100s'", name);
    if (row == NULL || row->is_no_key)
      return at_line(options, name, text, error);
  }
  return -1;
}

static int read_rows(const json_t *given, struct serve_options *out, struct error *error)
{
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  out->workers = cores > 128 ? 64 : cores > 4 ? cores / 2 : 2;
  out->config = json_string_value(json_object_get(given, "config"));
  if (out->config != NULL && toml_read(out->config, &out->file, error) != 0)
    return EXIT_FAILED;
  int status = check_keys(out, error);
  for (size_t i = 0; i < option_row_count && status < 0; i++)
    status = take_row(&option_rows[i], given, out, error);
  if (status >= 0)
    return status;
  if ((out->tls_certificate == NULL) != (out->tls_key == NULL))
    return wrong_option(out, out->tls_key == NULL ? "tls-certificate" : "tls-key",
                        "goes with the other of tls-certificate and tls-key", error);
  if (out->verbose)
    out->log_level = LOG_DEBUG;
  if (out->sources.count > 0 && !out->refresh)
    return wrong_option(out, "source", "goes with refresh", error);
  if (out->no_basic && out->oidc == NULL && out->oidc_tables == NULL)
    return wrong_option(out, "no-basic", "wants oidc, or nobody could log in", error);
  return -1;
}

int serve_options_read(int argc, char **argv, struct serve_options *out, struct error *error)
{
  json_t *given = json_object();
  *out = (struct serve_options){.values = json_object()};
  int status = EXIT_USAGE;
  if (read_command_line(argc, argv, given, error) == 0) {
    out->help = json_object_get(given, "help") != NULL;
    status = out->help ? -1 : read_rows(given, out, error);
  }
  json_decref(given);
  return status;
}

int serve_options_read_file(const char *path, struct serve_options *out, struct error *error)
{
  char name[] = "serve", option[] = "--config";
  char *arguments[] = {name, option, (char *)(uintptr_t)path, NULL};
  return serve_options_read(3, arguments, out, error) < 0 ? 0 : -1;
}

void serve_options_free(struct serve_options *options)
{
  json_decref(options->values);
  toml_free(&options->file);
  federation_settings_free(&options->federation);
  account_settings_free(&options->remotes);
  workspace_settings_free(&options->exports);
  source_tables_free(&options->sources);
  *options = (struct serve_options){0};
}

/* Providers of the file's own tables: what is said of providers[i] is said of its line. */
static int providers_of_tables(const struct serve_options *options, struct oidc_settings **out, struct error *error)
{
  struct error inner = {0};
  char text[sizeof error->message], place[sizeof error->message];
  json_t *document = json_pack("{s:o}", "providers", json_deep_copy(options->oidc_tables));
  if (document == NULL)
    return error_memory(error);
  if (oidc_settings_from(document, out, &inner) == 0)
    return 0;
  const char *rest = strncmp(inner.message, "providers", 9) == 0 ? inner.message + 9 : inner.message;
  snprintf(text, sizeof text, "oidc%.600s", rest);
  snprintf(place, sizeof place, "%.*s", (int)strcspn(text, ": "), text);
  at_line(options, place, text, error);
  return -1;
}

int serve_options_providers(const struct serve_options *options, struct oidc_settings **out, struct error *error)
{
  *out = NULL;
  if (options->oidc_tables != NULL)
    return providers_of_tables(options, out, error);
  return options->oidc != NULL ? oidc_settings_read(options->oidc, out, error) : 0;
}

int serve_options_tls(const struct serve_options *options, struct tls **out, struct error *error)
{
  struct error inner = {0};
  *out = NULL;
  if (options->tls_certificate == NULL || tls_open(options->tls_certificate, options->tls_key, out, &inner) == 0)
    return 0;
  const bool is_key = strncmp(inner.message, options->tls_key, strlen(options->tls_key)) == 0;
  wrong_option(options, is_key ? "tls-key" : "tls-certificate", inner.message, error);
  return -1;
}

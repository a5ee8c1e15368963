#include "server/sources/source_record.h"

#include <math.h>
#include <stdlib.h>

static void set_text(json_t *object, const char *key, const char *text)
{
  if (text)
    json_object_set_new(object, key, json_string(text));
}

static json_t *nodata_rows(const struct catalogue_add_options *options)
{
  json_t *rows = json_array();
  for (size_t i = 0; i < options->nodata_count; i++) {
    json_t *row = json_object();
    set_text(row, "band", options->nodata[i].band);
    if (isfinite(options->nodata[i].value)) /* JSON has no NaN: no value means it */
      json_object_set_new(row, "value", json_real(options->nodata[i].value));
    else if (!isnan(options->nodata[i].value))
      set_text(row, "value", options->nodata[i].value > 0 ? "inf" : "-inf");
    json_array_append_new(rows, row);
  }
  return rows;
}

char *source_record_write(const struct catalogue_add_options *options, const struct account_settings *remotes)
{
  json_t *document = json_object(), *providers = json_array(), *keywords = json_array();
  set_text(document, "id", options->id);
  set_text(document, "datetime", options->datetime_regex);
  set_text(document, "band", options->band_regex);
  set_text(document, "title", options->title);
  set_text(document, "licence", options->licence);
  set_text(document, "crs", options->crs);
  json_object_set_new(document, "resolution", json_real(options->resolution));
  json_object_set_new(document, "follow", json_boolean(options->follow));
  json_object_set_new(document, "unpack", json_boolean(options->unpack));
  json_object_set_new(document, "nodata", nodata_rows(options));
  for (size_t i = 0; i < options->provider_count; i++) {
    json_t *provider = json_object();
    set_text(provider, "name", options->providers[i].name);
    set_text(provider, "url", options->providers[i].url);
    json_array_append_new(providers, provider);
  }
  for (size_t i = 0; i < options->keyword_count; i++)
    json_array_append_new(keywords, json_string(options->keywords[i]));
  json_object_set_new(document, "providers", providers);
  json_object_set_new(document, "keywords", keywords);
  if (remotes->document)
    json_object_set(document, "remotes", remotes->document);
  char *text = json_dumps(document, JSON_COMPACT);
  json_decref(document);
  return text;
}

static const char *text_of(const json_t *object, const char *key)
{
  return json_string_value(json_object_get(object, key));
}

static double nodata_value(const json_t *value)
{
  const char *text = json_string_value(value);
  return json_is_number(value) ? json_number_value(value) : text ? strtod(text, NULL) : (double)NAN;
}

static int read_rows(struct source_record *out, struct error *error)
{
  const json_t *nodata = json_object_get(out->document, "nodata"),
               *providers = json_object_get(out->document, "providers"),
               *keywords = json_object_get(out->document, "keywords");
  out->options.nodata_count = json_array_size(nodata);
  out->options.provider_count = json_array_size(providers);
  out->options.keyword_count = json_array_size(keywords);
  out->nodata = calloc(out->options.nodata_count + 1, sizeof *out->nodata);
  out->providers = calloc(out->options.provider_count + 1, sizeof *out->providers);
  out->keywords = calloc(out->options.keyword_count + 1, sizeof *out->keywords);
  if (!out->nodata || !out->providers || !out->keywords)
    return error_memory(error);
  for (size_t i = 0; i < out->options.nodata_count; i++) {
    const json_t *row = json_array_get(nodata, i);
    out->nodata[i] = (struct catalogue_nodata){text_of(row, "band"), nodata_value(json_object_get(row, "value"))};
  }
  for (size_t i = 0; i < out->options.provider_count; i++) {
    const json_t *row = json_array_get(providers, i);
    out->providers[i] = (struct catalogue_provider){text_of(row, "name"), text_of(row, "url")};
  }
  for (size_t i = 0; i < out->options.keyword_count; i++)
    out->keywords[i] = json_string_value(json_array_get(keywords, i));
  return 0;
}

int source_record_read(const char *text, struct source_record *out, struct error *error)
{
  *out = (struct source_record){.document = json_loads(text, 0, NULL)};
  const json_t *document = out->document, *remotes = json_object_get(document, "remotes");
  if (!json_is_object(document))
    return error_set(error, ERROR_StorageFailure, "what the catalogue keeps of a source cannot be read");
  if (read_rows(out, error) != 0)
    return -1;
  struct catalogue_add_options *options = &out->options;
  options->id = text_of(document, "id");
  options->datetime_regex = text_of(document, "datetime");
  options->band_regex = text_of(document, "band");
  options->title = text_of(document, "title");
  options->licence = text_of(document, "licence");
  options->crs = text_of(document, "crs");
  options->resolution = json_number_value(json_object_get(document, "resolution"));
  options->follow = json_is_true(json_object_get(document, "follow"));
  options->unpack = json_is_true(json_object_get(document, "unpack"));
  options->nodata = out->nodata;
  options->providers = out->providers;
  options->keywords = out->keywords;
  for (size_t i = 0; i < json_array_size(remotes); i++)
    if (account_settings_add(&out->remotes, json_array_get(remotes, i), error) != 0)
      return -1;
  return 0;
}

void source_record_free(struct source_record *record)
{
  account_settings_free(&record->remotes);
  free(record->nodata);
  free(record->providers);
  free(record->keywords);
  json_decref(record->document);
  *record = (struct source_record){0};
}

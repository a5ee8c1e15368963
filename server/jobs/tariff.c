/* A tariff is read once, at the start, and is arithmetic from then on. */
#include "server/jobs/tariff.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int take_price(const char *value, size_t length, double *out)
{
  char *end = NULL;
  *out = strtod(value, &end);
  return end == value + length && length > 0 && isfinite(*out) && *out > 0 ? 0 : -1;
}

static int take_entry(const char *entry, size_t length, struct tariff *out)
{
  const char *equals = memchr(entry, '=', length);
  if (equals == NULL)
    return -1;
  const size_t name = (size_t)(equals - entry), rest = length - name - 1;
  const char *value = equals + 1;
  if (name == 8 && memcmp(entry, "cpu-hour", name) == 0)
    return take_price(value, rest, &out->cpu_hour);
  if (name == 7 && memcmp(entry, "gb-read", name) == 0)
    return take_price(value, rest, &out->gb_read);
  if (name != 8 || memcmp(entry, "currency", name) != 0 || rest == 0 || rest >= sizeof out->currency)
    return -1;
  snprintf(out->currency, sizeof out->currency, "%.*s", (int)rest, value);
  return 0;
}

int tariff_parse(const char *text, struct tariff *out, struct error *error)
{
  *out = (struct tariff){0};
  for (const char *entry = text;; entry++) {
    const size_t length = strcspn(entry, ",");
    if (take_entry(entry, length, out) != 0)
      return error_set(error, ERROR_Internal, "wants currency=…, cpu-hour=…, gb-read=…, not '%.*s'", (int)length,
                       entry);
    entry += length;
    if (*entry == '\0')
      break;
  }
  return out->currency[0] != '\0' && tariff_has_prices(out)
             ? 0
             : error_set(error, ERROR_Internal, "wants a currency and a price, not '%s'", text);
}

bool tariff_has_prices(const struct tariff *tariff)
{
  return tariff->cpu_hour > 0 || tariff->gb_read > 0;
}

double tariff_costs(const struct tariff *tariff, double cpu_seconds, double read_bytes)
{
  return round((cpu_seconds / 3600 * tariff->cpu_hour + read_bytes / 1e9 * tariff->gb_read) * 1000) / 1000;
}

double tariff_charge(const struct tariff *tariff, double cpu_seconds, double read_bytes, const double *budget)
{
  const double costs = tariff_costs(tariff, cpu_seconds, read_bytes);
  return budget != NULL && costs > *budget ? *budget : costs;
}

const char *tariff_plan(const struct tariff *tariff)
{
  return tariff_has_prices(tariff) ? "paid" : "free";
}

int tariff_check_plan(const struct tariff *tariff, const char *plan, struct error *error)
{
  const char *known = tariff_plan(tariff);
  if (plan == NULL || strcasecmp(plan, known) == 0)
    return 0;
  return error_parameter(error, ERROR_BillingPlanInvalid, "plan", "there is no plan '%.100s', only '%s'", plan, known);
}

/* What computing costs: prices of what a run uses, in one currency. Without prices all is free. */
#ifndef TWINCUBE_SERVER_JOBS_TARIFF_H
#define TWINCUBE_SERVER_JOBS_TARIFF_H

#include "datacube/base/error.h"

#include <stdbool.h>

struct tariff {
  char currency[16]; /* "": nothing costs anything */
  double cpu_hour;   /* price of an hour of one core */
  double gb_read;    /* price of 10^9 bytes read */
};

/* "currency=EUR,cpu-hour=0.05,gb-read=0.01": the currency and at least one price. Error Internal says what is wrong. */
int tariff_parse(const char *text, struct tariff *out, struct error *error);

bool tariff_has_prices(const struct tariff *tariff);
/* In the tariff's currency, rounded to its thousandth. */
double tariff_costs(const struct tariff *tariff, double cpu_seconds, double read_bytes);

/* The same, but never more than the budget where there is one (else NULL). */
double tariff_charge(const struct tariff *tariff, double cpu_seconds, double read_bytes, const double *budget);

/* The plan's name: "free" without prices, else "paid". */
const char *tariff_plan(const struct tariff *tariff);
/* The plan that a request names, upper or lower case. NULL: the only one there is. Error BillingPlanInvalid. */
int tariff_check_plan(const struct tariff *tariff, const char *plan, struct error *error);

#endif

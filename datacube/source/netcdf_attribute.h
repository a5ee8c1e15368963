/* Attributes of netCDF variables (NC_GLOBAL for the file's own). The caller holds the lock. */
#ifndef TWINCUBE_DATACUBE_SOURCE_NETCDF_ATTRIBUTE_H
#define TWINCUBE_DATACUBE_SOURCE_NETCDF_ATTRIBUTE_H

#include "datacube/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text of a character or (one) string attribute, trailing NULs and blanks cut; NULL where there is none. */
const char *netcdf_attribute_text(struct arena *arena, int file, int variable, const char *name);

/* Reads up to room numbers of an attribute, numeric or a text of numbers. Returns how many; 0 where there is none. */
size_t netcdf_attribute_numbers(int file, int variable, const char *name, double *out, size_t room);
/* The same of an attribute of 64-bit integers, as their eight bytes, which no double rounds; 0 for all others. */
size_t netcdf_attribute_words(int file, int variable, const char *name, uint64_t *out, size_t room);
/* The first number, or otherwise. */
double netcdf_attribute_number(int file, int variable, const char *name, double otherwise);

/* Whether the blank-separated list holds the word (colons after words, as in grid_mapping, do not count). */
bool netcdf_list_has(const char *list, const char *word);

#endif

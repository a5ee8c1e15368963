/* Files of lattice gauge fields, one SU(3) configuration in four dimensions each: NERSC, ILDG and SciDAC in LIME, MILC
 * version 5, openQCD, HDF5 (gauge_hdf5.h). Which of them a file is, its contents tell.
 *
 * Elements come as [x0][x1][x2][x3][direction][row][column], complex, where x0 is the Euclidean time and x1, x2, x3 are
 * the files' x, y, z; directions in the order of the axes. What a file says of itself is verified when it is read:
 * checksums, mean plaquette, mean trace of the links.
 * Errors name the file: FileNotFound, FileContentInvalid, FeatureUnsupported (what the format allows and is not read).
 * Thread rule: pure functions; a file is opened and closed by each. */
#ifndef TWINCUBE_DATACUBE_SOURCE_GAUGE_FILE_H
#define TWINCUBE_DATACUBE_SOURCE_GAUGE_FILE_H

#include "datacube/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GAUGE_FILE_AXES = 4, GAUGE_FILE_COLOURS = 3 };

enum gauge_file_sites {
  GAUGE_SITES_ALL, /* x fastest, then y, z, t; of each site the links along x, y, z, t */
  GAUGE_SITES_ODD  /* the odd ones, z fastest, then y, x, t; of each the links from and to it along t, x, y, z */
};

enum gauge_file_sum {
  GAUGE_SUM_NONE,
  GAUGE_SUM_WORDS,   /* sum of all 32-bit words: sum[0] */
  GAUGE_SUM_ROTATED, /* exclusive or of the words, rotated by their number mod 29 and 31 */
  GAUGE_SUM_SITES    /* exclusive or of the sites' CRC-32, rotated likewise by the number of the site */
};

struct gauge_file {               /* what the header tells */
  const char *format;             /* "NERSC", "ILDG", "MILC", "openQCD", "HDF5" */
  size_t extent[GAUGE_FILE_AXES]; /* t, x, y, z; each from 1 to 4096 */
  enum gauge_file_sites sites;
  size_t rows;    /* 3, or 2: the third is the cross product of the others, conjugated */
  bool is_double; /* elements are complex128, else complex64 */
  bool big_endian;
  bool guesses_order; /* the header does not tell the byte order: the checksum does */
  uint64_t offset;    /* of the links in the file */
  enum gauge_file_sum sum_kind;
  uint32_t sum[2];
  bool has_plaquette, has_trace, has_beta;
  double plaquette, trace;               /* means of Re Tr / 3 */
  double plaquette_digits, trace_digits; /* one unit of the last digit that is there */
  double beta;                           /* the coupling; told, not verified */
  /* HDF5: the dataset, where it has the direction, or whether its links must tell */
  char dataset[160];
  bool direction_first, direction_open;
};

/* The format that the first bytes are of ("NERSC"); NULL: none. */
const char *gauge_file_format(const char *path);

/* Reads the header; sizes are checked against the file's. */
int gauge_file_inspect(const char *path, struct gauge_file *out, struct error *error);

/* Bytes of the elements: complex128 where `wide`, else complex64, which must be the file's own. Saturated. */
size_t gauge_file_bytes(const struct gauge_file *file, bool wide);

/* Reads all links into elements, and verifies them. */
int gauge_file_read(const char *path, const struct gauge_file *file, bool wide, void *elements, struct error *error);

/* ---- for the formats ---------------------------------------------------------------------------------------------
 * Each reads its header from an open file, at its start, of so many bytes. */

struct gauge_header {
  const char *path;
  void *stream; /* FILE, at byte 0 */
  uint64_t size;
};

typedef int gauge_header_reader(const struct gauge_header *header, struct gauge_file *out, struct error *error);
gauge_header_reader gauge_nersc_header, gauge_lime_header, gauge_milc_header, gauge_openqcd_header;

/* FileContentInvalid: "PATH: WHAT". Returns -1. */
int gauge_header_wrong(const struct gauge_header *header, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Whether all extents are from 1 to 4096; else the error. */
int gauge_header_extents(const struct gauge_header *header, const struct gauge_file *file, struct error *error);
/* Bytes of the links in the file. */
uint64_t gauge_data_bytes(const struct gauge_file *file);

#endif

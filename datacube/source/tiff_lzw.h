/* Inflating TIFF's LZW. Internal to tiff_codec. */
#ifndef TWINCUBE_DATACUBE_SOURCE_TIFF_LZW_H
#define TWINCUBE_DATACUBE_SOURCE_TIFF_LZW_H

#include <stdbool.h>
#include <stddef.h>

struct tiff_lzw; /* the strings that codes stand for: scratch of one thread */

struct tiff_lzw *tiff_lzw_new(void);      /* NULL: out of memory */
void tiff_lzw_free(struct tiff_lzw *lzw); /* NULL is allowed */

/* Fills `to` with the first `want` bytes that the codes stand for. False where there are fewer, or a code cannot be, or
 * the codes are of the kind that came before TIFF 6.0. */
bool tiff_lzw_inflate(struct tiff_lzw *lzw, const unsigned char *codes, size_t length, size_t want, unsigned char *to);

#endif

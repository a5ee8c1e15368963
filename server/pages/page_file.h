/* The pages for people: HTML, style and modules of this folder, which the build puts into the program as they are. */
#ifndef TWINCUBE_SERVER_PAGES_PAGE_FILE_H
#define TWINCUBE_SERVER_PAGES_PAGE_FILE_H

#include <stddef.h>

struct page_file {
  const char *name; /* "console.js" */
  const unsigned char *bytes;
  size_t size;
  const char *tag; /* changes with the bytes */
};

extern const struct page_file page_files[]; /* made by the build */
extern const size_t page_file_count;

/* NULL: there is none. */
const struct page_file *page_file_find(const char *name);

/* Media type by the name's ending, text with its encoding; application/octet-stream where it is not known. */
const char *page_media_type(const char *name);

#endif

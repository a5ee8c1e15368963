/* A file that others see whole or not at all: written under a name of its own, then renamed. */
#ifndef TWINCUBE_HPC_DEVICE_WHOLE_FILE_H
#define TWINCUBE_HPC_DEVICE_WHOLE_FILE_H

#include <stdbool.h>
#include <stdio.h>

enum { WHOLE_FILE_PATH = 1200 };

struct whole_file {
  FILE *stream; /* to be written to */
  const char *path;
  char temporary[WHOLE_FILE_PATH + 16];
};

/* The path is borrowed, of fewer than WHOLE_FILE_PATH bytes. False where the folder takes no files. */
bool whole_file_open(const char *path, struct whole_file *out);
/* Puts it in its place if all was written, else removes it. */
void whole_file_close(struct whole_file *file);

#endif

/* Files that are there and may not be opened. */
#ifndef TWINCUBE_DATACUBE_BASE_FILE_REFUSAL_H
#define TWINCUBE_DATACUBE_BASE_FILE_REFUSAL_H

/* NULL, or why the system refuses this process to read a file, as the end of a sentence. */
const char *file_refusal(const char *path);

#endif

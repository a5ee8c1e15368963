/* access(2) for this program and the libraries that it is linked with: whether the file system would let us, which is
 * what they mean by the question. The system's own asks for the real user, who in a worker is not the one that opens
 * files (worker_user.h). A symbol of the program goes before that of the C library. */
#include <fcntl.h>
#include <unistd.h>

int access(const char *path, int mode)
{
  return faccessat(AT_FDCWD, path, mode, AT_EACCESS);
}

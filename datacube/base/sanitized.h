/* Whether the program is built with sanitizers, whose runtime maps much memory, traces and writes reports. */
#ifndef TWINCUBE_DATACUBE_BASE_SANITIZED_H
#define TWINCUBE_DATACUBE_BASE_SANITIZED_H

#include <stdbool.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TWINCUBE_IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define TWINCUBE_IS_SANITIZED true
#endif
#endif
#ifndef TWINCUBE_IS_SANITIZED
#define TWINCUBE_IS_SANITIZED false
#endif

static const bool is_sanitized = TWINCUBE_IS_SANITIZED;

#endif

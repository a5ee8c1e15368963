/* The one logger: lines on standard error, "level message", safe from several threads. It never waits: lines that a
 * full pipe does not take are lost. */
#ifndef TWINCUBE_DATACUBE_BASE_LOG_H
#define TWINCUBE_DATACUBE_BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level); /* call once, in main */
void log_message(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

/* What workers inherit of the server's environment: names that libraries and kernels need, never one that could hold a
 * secret (the store's address with its password, tokens of clouds), because workers read strangers' bytes. */
#ifndef TWINCUBE_SERVER_WORKERS_WORKER_ENVIRONMENT_H
#define TWINCUBE_SERVER_WORKERS_WORKER_ENVIRONMENT_H

/* A list that ends in NULL, of strings that are borrowed from the environment, with a word for OpenMP: workers share
 * the cores with each other, so threads that wait sleep and do not spin, unless the operator says otherwise. The caller
 * frees the list. NULL: no memory. */
char **worker_environment(void);

#endif

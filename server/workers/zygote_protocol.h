/* How the server starts a zygote: twincube zygote PARENT LEVEL FORMAT MEMORY RESULT_SIZE CONFINE DATA REMOTE SPECS
 * DEVICE DEVICE_MEMORY PUBLISHED [FOLDER …], with the control socket as descriptor 3; graphs may name files below the
 * folders. One byte with the sockets of a worker (SCM_RIGHTS, enum worker_descriptor), as far as there are such, asks
 * for a worker; its pid is the answer, as int32_t, -1 where the fork failed. */
#ifndef TWINCUBE_SERVER_WORKERS_ZYGOTE_PROTOCOL_H
#define TWINCUBE_SERVER_WORKERS_ZYGOTE_PROTOCOL_H

enum { ZYGOTE_CONTROL = 3 };

enum zygote_argument {                       /* places in argv; "zygote" is [0], as for every subcommand */
                       ZYGOTE_PARENT = 1,    /* pid */
                       ZYGOTE_LEVEL,         /* enum log_level */
                       ZYGOTE_FORMAT,        /* enum log_format */
                       ZYGOTE_MEMORY,        /* bytes */
                       ZYGOTE_RESULT_SIZE,   /* bytes, 0: no limit */
                       ZYGOTE_CONFINE,       /* name of an enum confine_mode */
                       ZYGOTE_DATA,          /* folder */
                       ZYGOTE_REMOTE,        /* folder of what was fetched from other hosts, "" for none */
                       ZYGOTE_SPECS,         /* folder, "" for none */
                       ZYGOTE_DEVICE,        /* as device_choice_read takes it */
                       ZYGOTE_DEVICE_MEMORY, /* bytes */
                       ZYGOTE_PUBLISHED,     /* folder of published results, "" for none */
                       ZYGOTE_ARGUMENTS
};

#endif

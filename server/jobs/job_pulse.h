/* The sign of life of a server that shares its store, and what follows where another one gives none. Private to
 * job_queue.c and job_pulse.c. */
#ifndef TWINCUBE_SERVER_JOBS_JOB_PULSE_H
#define TWINCUBE_SERVER_JOBS_JOB_PULSE_H

/* The thread; `data` is the queue. One of its own: nothing that takes long may hold it up. */
void *job_pulse_work(void *data);

#endif

/* The process that writes to one workspace of the operator's, for one export: this program executed anew, confined to
 * the network, or to the workspace's folder. Over its socket (descriptor 3) come open files, one a message: the
 * accounts in force, the plan (send_plan.h), and the results. The answer is a struct error, which is empty where all of
 * it was exported. The other end's being closed for writing gives up: what was sent is taken back then. */
#ifndef TWINCUBE_SERVER_EXPORT_SENDER_H
#define TWINCUBE_SERVER_EXPORT_SENDER_H

/* `twincube sender PARENT LEVEL FORMAT CONFINE FOLDER`, started by export_hub.c and by nobody else. FOLDER: of the
 * workspace, or "". Returns its status. */
int sender_main(int argc, char **argv);

#endif

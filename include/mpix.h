/* mpix.h: what COW MPI offers beyond the standard. C89 and later, C++98 and later.
 *
 * Names begin with MPIX_ and are no part of the standard ABI: a program that uses them needs COW MPI. */
#ifndef MPIX_H_COW
#define MPIX_H_COW

#include <mpi.h>

#define COW_MPI 1 /* this header is COW MPI's */
#define COW_MPI_VERSION_MAJOR 0
#define COW_MPI_VERSION_MINOR 1
#define COW_MPI_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that the program runs with, which may differ from the one that it was compiled with.
 * Any of the pointers may be null. May be called at any time. Returns MPI_SUCCESS. */
int MPIX_Cow_version(int *major, int *minor, int *patch);

/* All functions below need MPI to be running, return MPI_SUCCESS or an MPI error code, and call the error handler of
 * their communicator (MPI_COMM_SELF's where they have none). Counts are in elements of the datatype, sizes in bytes. */

/* ---- Send modes: when the buffer of a send is the program's again.
 *
 * The mode of a communicator is the info key cow_send_mode ("notify", "copy", "cow", "auto"), that of the job COW_SEND_MODE. */
#define MPIX_SEND_OF_COMM 0 /* as the communicator says */
#define MPIX_SEND_NOTIFY 1  /* when the library needs the buffer no longer: the standard's own */
#define MPIX_SEND_COPY 2    /* at once: a message that cannot leave at once is copied */
#define MPIX_SEND_COW 3     /* at once: large messages are kept by copy-on-write, small ones are copied */
#define MPIX_SEND_AUTO 4    /* whichever of these is predicted to be cheapest, for MPI_Send; notify for the others */

/* MPI_Send_c, MPI_Isend_c and MPI_Send_init_c in a mode of their own. A request is complete when the buffer is the
 * program's. MPI_ERR_ARG: mode is none of the above. Otherwise the errors of MPI_Send. */
int MPIX_Send_mode(const void *buf, MPI_Count count, MPI_Datatype datatype, int dest, int tag, MPI_Comm comm, int mode);
int MPIX_Isend_mode(const void *buf, MPI_Count count, MPI_Datatype datatype, int dest, int tag, MPI_Comm comm, int mode,
                    MPI_Request *request);
int MPIX_Send_init_mode(const void *buf, MPI_Count count, MPI_Datatype datatype, int dest, int tag, MPI_Comm comm,
                        int mode, MPI_Request *request);

/* ---- Callbacks on completion, as proposed to the MPI Forum's working group on hybrid programming (MPIX_Continue).
 *
 * A callback runs once, without any lock of the library's held: by default within a call of MPI that makes progress, of
 * any thread, or in the progress thread (COW_PROGRESS=thread), one at a time. It may call MPI, but should not block.
 * `error` is MPI_SUCCESS or the code of the first request that failed; no error handler is called for it. */
typedef void(MPIX_Continue_cb)(int error, void *state);
#define MPIX_CONT_IMMEDIATE 1 /* flag: may be called by MPIX_Continue itself, when all is complete already */
#define MPIX_CONT_THREAD 2    /* flag: called by a thread of the library (COW_POOL_THREADS of them), and may block. Starts \
                                 the progress thread. It may call MPI at any level of thread support */

/* Takes over a request, or several, which the program waits for no more: handles become MPI_REQUEST_NULL, but for
 * persistent requests, which must have been started and are inactive when the callback is called. Null and inactive
 * requests count as complete.
 *   status, statuses  filled before the callback is called; or MPI_STATUS_IGNORE, MPI_STATUSES_IGNORE
 *   set               made by MPIX_Continue_init, or MPI_REQUEST_NULL: a request that MPI_Test and MPI_Wait find complete
 *                     when all callbacks registered with it have returned. May be used again afterwards; freed by
 *                     MPI_Request_free. Not to be waited for by its own callbacks.
 * MPI_ERR_REQUEST: a handle is none, or `set` is no set. MPI_ERR_ARG: unknown flags, no callback. Then nothing was taken. */
int MPIX_Continue_init(MPI_Request *set);
int MPIX_Continue(MPI_Request *request, MPIX_Continue_cb *callback, void *state, int flags, MPI_Status *status,
                  MPI_Request set);
int MPIX_Continueall(int count, MPI_Request requests[], MPIX_Continue_cb *callback, void *state, int flags,
                     MPI_Status statuses[], MPI_Request set);

/* ---- A descriptor for event loops (epoll, poll, asio). It becomes readable when a request of the communicator has
 * completed; with MPI_COMM_NULL, when any request has, or a message has come that no receive waits for. It is an eventfd:
 * 8 bytes can be read, without blocking. Whoever first reads it, then tests his requests, then sleeps on it misses
 * nothing; it may also be readable for nothing. Readable at first. Starts the progress thread. The library closes it, with
 * the communicator or in MPI_Finalize. MPI_ERR_OTHER: the system has no descriptor or thread to give. */
int MPIX_Completion_fd(MPI_Comm comm, int *fd);

/* ---- Progress without a request. MPIX_Progress: one pass; *moved, which may be null, is whether anything moved.
 * MPIX_Progress_until: until *flag is not 0, which a callback or a handler of this process sets; waits like MPI_Recv,
 * sleeping in the end. Where other threads may set the flag (handlers and callbacks run in some, or progress does), they do so by
 * a store with release order. Neither may be called by a handler that runs in progress. */
int MPIX_Progress(int *moved);
int MPIX_Progress_until(const volatile int *flag);

/* ---- Active messages: a message names the function that handles it at the receiver. */
typedef struct MPIX_Am_message { /* as a handler sees it; nothing of it may be used after the handler has returned */
  MPI_Comm comm;
  int source;           /* rank in comm; of an intercommunicator, in the remote group */
  int handler;          /* its number */
  int header_size;      /* bytes */
  const void *header;   /* of any alignment, as is payload */
  const void *payload;
  MPI_Count size;       /* bytes of payload */
} MPIX_Am_message;
typedef void(MPIX_Am_handler)(const MPIX_Am_message *message, void *state);

#define MPIX_AM_MAX_HEADER 255 /* bytes */
#define MPIX_AM_PROGRESS 0   /* the handler runs within whatever makes progress, under the library's lock: it may send, \
                                reply, and begin nonblocking operations, but must not wait for anything, nor for a lock \
                                that is held by a thread that calls MPI */
#define MPIX_AM_POOL 1       /* each message is handled by one of COW_POOL_THREADS threads, in any order; it may block */
#define MPIX_AM_NEW_THREAD 2 /* each by a thread made for it (at most 128 at once). This form and the one above start the \
                                progress thread; such handlers may call MPI at any level of thread support */

/* Adds a handler to a communicator. Collective, in the same order at all ranks: *index, the same at all of them, names it
 * from then on. No index is used again. The handlers go with the communicator, which must not be freed while messages are
 * on their way. Each rank says itself in which form its handler runs. MPI_ERR_ARG: handler is null or form is unknown. */
int MPIX_Am_register(MPI_Comm comm, MPIX_Am_handler *handler, void *state, int form, int *index);

/* Sends to handler `index` of rank `dest` (MPI_PROC_NULL: nobody). When it returns, the buffers are the program's. A sender
 * waits when the receiver has COW_EAGER_WINDOW bytes of its messages not handled yet, and with a large payload until it is
 * taken; within a handler of form MPIX_AM_PROGRESS it never waits, but copies. Small messages of one sender (headers and
 * payload together below COW_EAGER_LIMIT, inside a node 8 KiB) are handled by handlers of form MPIX_AM_PROGRESS in the
 * order sent; large ones may be overtaken. Sizes in bytes. MPI_ERR_ARG: there is no such handler, or the header is larger
 * than MPIX_AM_MAX_HEADER; MPI_ERR_RANK, MPI_ERR_COMM, MPI_ERR_COUNT as for MPI_Send. */
int MPIX_Am_send(MPI_Comm comm, int dest, int index, const void *header, int header_size, const void *payload,
                 MPI_Count size);

/* The same, by a handler, to the sender of the message that it handles; never waits. The sender of the message gets its
 * credit back when the reply has left, so that who sends requests and takes no replies is stopped. */
int MPIX_Am_reply(const MPIX_Am_message *to, int index, const void *header, int header_size, const void *payload,
                  MPI_Count size);

#ifdef __cplusplus
}
#endif

#endif /* MPIX_H_COW */

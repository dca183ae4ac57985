/* Stands in for libpsm_infinipath, which Debian's libfabric needs for its provider "psm" (QLogic InfiniPath cards, sold
   until 2012). The real one sleeps 200 ms in a constructor and takes the signals of the process. See quick_start.cpp.
   Every function that libfabric 1.17 takes from it, and all fail, so that libfabric finds no such card. */

enum { failed = 4 }; /* PSM_INIT_NOT_INIT */

#define ABSENT(name) \
  int name(void);    \
  int name(void) { return failed; }

ABSENT(psm_am_get_parameters)
ABSENT(psm_am_register_handlers)
ABSENT(psm_am_reply_short)
ABSENT(psm_am_request_short)
ABSENT(psm_ep_close)
ABSENT(psm_ep_connect)
ABSENT(psm_ep_epid_lookup)
ABSENT(psm_ep_open)
ABSENT(psm_ep_open_opts_get_defaults)
ABSENT(psm_epaddr_setctxt)
ABSENT(psm_error_register_handler)
ABSENT(psm_finalize)
ABSENT(psm_init)
ABSENT(psm_mq_cancel)
ABSENT(psm_mq_finalize)
ABSENT(psm_mq_init)
ABSENT(psm_mq_ipeek)
ABSENT(psm_mq_iprobe)
ABSENT(psm_mq_irecv)
ABSENT(psm_mq_isend)
ABSENT(psm_mq_send)
ABSENT(psm_mq_test)
ABSENT(psm_poll)
ABSENT(psm_ep_disconnect)
ABSENT(psm_uuid_generate)
ABSENT(psm_mq_wait)
ABSENT(psm_mq_getopt)
ABSENT(psm_mq_setopt)
ABSENT(psm_map_nid_hostname)

const char *psm_error_get_string(int code);
const char *psm_error_get_string(int code) {
  (void)code;
  return "no InfiniPath card";
}

void *psm_epaddr_getctxt(void *address);
void *psm_epaddr_getctxt(void *address) {
  (void)address;
  return 0;
}

int psm_ep_num_devunits(unsigned *count);
int psm_ep_num_devunits(unsigned *count) {
  *count = 0;
  return 0;
}

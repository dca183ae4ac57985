/* Stands in for libpsm2, which Debian's libfabric needs for its provider "psm2" (Omni-Path cards). The real one sleeps
   100 ms in a constructor and takes the signals of the process. See quick_start.cpp.
   Every function that libfabric 1.17 takes from it, and all fail, so that libfabric finds no such card. */

enum { failed = 4 }; /* PSM2_INIT_NOT_INIT */

#define ABSENT(name) \
  int name(void);    \
  int name(void) { return failed; }

ABSENT(psm2_am_get_parameters)
ABSENT(psm2_am_get_source)
ABSENT(psm2_am_register_handlers_2)
ABSENT(psm2_am_reply_short)
ABSENT(psm2_am_request_short)
ABSENT(psm2_ep_close)
ABSENT(psm2_ep_connect)
ABSENT(psm2_ep_disconnect2)
ABSENT(psm2_ep_epid_lookup2)
ABSENT(psm2_ep_open)
ABSENT(psm2_ep_open_opts_get_defaults)
ABSENT(psm2_epaddr_setctxt)
ABSENT(psm2_epaddr_to_epid)
ABSENT(psm2_error_register_handler)
ABSENT(psm2_finalize)
ABSENT(psm2_info_query)
ABSENT(psm2_init)
ABSENT(psm2_mq_cancel)
ABSENT(psm2_mq_improbe2)
ABSENT(psm2_mq_imrecv)
ABSENT(psm2_mq_init)
ABSENT(psm2_mq_ipeek)
ABSENT(psm2_mq_iprobe2)
ABSENT(psm2_mq_irecv2)
ABSENT(psm2_mq_isend2)
ABSENT(psm2_mq_send2)
ABSENT(psm2_mq_test2)
ABSENT(psm2_mq_wait2)
ABSENT(psm2_poll)

unsigned long psm2_get_capability_mask(unsigned long wanted);
unsigned long psm2_get_capability_mask(unsigned long wanted) {
  (void)wanted;
  return 0;
}

const char *psm2_error_get_string(int code);
const char *psm2_error_get_string(int code) {
  (void)code;
  return "no Omni-Path card";
}

void *psm2_epaddr_getctxt(void *address);
void *psm2_epaddr_getctxt(void *address) {
  (void)address;
  return 0;
}

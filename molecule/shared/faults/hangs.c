/* An extension whose import never ends. It sleeps, so that it costs the test no processor time. */
#include <unistd.h>
void *PyInit_agent_core_utils(void) { for (;;) pause(); }

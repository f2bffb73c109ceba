/* An extension that takes the whole process with it while it is imported. */
#include <stdlib.h>
void *PyInit_agent_core_utils(void) { abort(); }

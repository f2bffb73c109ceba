/* An extension that needs a symbol which no library has: the loader refuses it. */
extern int agentcore_symbol_that_no_library_has(void);
void *PyInit_agent_core_utils(void) { return agentcore_symbol_that_no_library_has() ? (void *)1 : (void *)0; }

/* An extension that is the real one, but for what wrong_results.py changes in it.
 *
 * The real module's bytes (REAL) and the Python source (SOURCE) are inside this file. The source runs in the namespace
 * of the new module, with the bytes under the name `real_bytes`. Only names of Python's stable ABI are used, declared
 * here, so that no Python headers are needed to compile it.
 */
#include <stddef.h>
typedef struct object Object;
typedef struct {
  struct { ptrdiff_t references; void *type; Object *(*init)(void); ptrdiff_t index; Object *copy; } base;
  const char *name, *doc;
  ptrdiff_t size;
  void *methods, *slots, *traverse, *clear, *free;
} ModuleDef;
extern Object *PyModule_Create2(ModuleDef *, int), *PyModule_GetDict(Object *);
extern Object *Py_CompileString(const char *, const char *, int), *PyEval_EvalCode(Object *, Object *, Object *);
extern Object *PyBytes_FromStringAndSize(const char *, ptrdiff_t), *PyEval_GetBuiltins(void);
extern int PyDict_SetItemString(Object *, const char *, Object *);

#define EMBED(name, file)                                                                                              \
  __asm__(".section .rodata\n.globl " #name "\n.hidden " #name "\n.globl " #name "_end\n.hidden " #name "_end\n"        \
          #name ":\n.incbin \"" file "\"\n" #name "_end:\n.byte 0\n.previous\n");                                      \
  extern const char name[] __attribute__((visibility("hidden"))), name##_end[] __attribute__((visibility("hidden")))
EMBED(real_module, REAL);
EMBED(source_text, SOURCE);

enum { WHOLE_FILE = 257, ABI = 3 };
static ModuleDef definition = {.base = {.references = 1}, .name = "agent_core_utils", .size = -1};

Object *PyInit_agent_core_utils(void) {
  Object *module = PyModule_Create2(&definition, ABI);
  if (!module) return NULL;
  Object *names = PyModule_GetDict(module);
  Object *bytes = PyBytes_FromStringAndSize(real_module, real_module_end - real_module);
  Object *code = Py_CompileString(source_text, "wrong_results.py", WHOLE_FILE);
  if (!bytes || !code || PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins()) ||
      PyDict_SetItemString(names, "real_bytes", bytes) || !PyEval_EvalCode(code, names, names))
    return NULL;
  return module;
}

/* A daemon that gives up at once, as one with a broken build would. */
#include <unistd.h>
int main(void) {
  static const char words[] = "cannot start: this build is broken on purpose\n";
  return write(2, words, sizeof words - 1) < 0 ? 4 : 3;
}

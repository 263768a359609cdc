/* Starts the bundle's own Python on the bundle's own code; both programs of the bundle are this.
 *
 * It takes no Python but the one beside it, and heeds none of Python's environment variables. It
 * is compiled without Apple's headers, so what it calls is declared here.
 */
#include <stddef.h>
#include <stdint.h>

/* <mach-o/dyld.h>, <stdlib.h>, <string.h>, <unistd.h> */
extern int _NSGetExecutablePath(char *buffer, uint32_t *size);
extern char *realpath(const char *path, char *resolved);
extern size_t strlcat(char *target, const char *source, size_t size);
extern size_t strlcpy(char *target, const char *source, size_t size);
extern char *strrchr(const char *text, int character);
extern long write(int file, const void *data, size_t size);

/* Python's stable names, of Python.h */
extern wchar_t *Py_DecodeLocale(const char *text, size_t *size);
extern void Py_SetPythonHome(const wchar_t *home);
extern int Py_BytesMain(int count, char **arguments);

#define LONGEST_PATH 1024 /* PATH_MAX of macOS */
#define MOST_ARGUMENTS 256

static const char refusal[] =
    "Parley can't start from this folder: its path is too long, or too many arguments were given. "
    "Move Parley to Applications.\n";

static int refuse(void)
{
    (void)!write(2, refusal, sizeof refusal - 1);
    return 70; /* EX_SOFTWARE */
}

int main(int count, char **given)
{
    static char told[LONGEST_PATH], program[LONGEST_PATH], home[LONGEST_PATH], start[LONGEST_PATH];
    static char *arguments[MOST_ARGUMENTS];
    /* -I: neither the environment, nor the user's own packages, nor the current folder.
       -B: nothing is ever written into the bundle, which its signature seals. */
    static char *const options[] = {program, "-I", "-B", "-X", "utf8", start};
    const int own = (int)(sizeof options / sizeof options[0]);
    uint32_t size = sizeof told;
    char *end;
    int at;

    if (_NSGetExecutablePath(told, &size) != 0 || realpath(told, program) == NULL)
        return refuse();
    strlcpy(home, program, sizeof home);
    for (at = 0; at < 2; at++) { /* …/Contents/MacOS/Parley -> …/Contents */
        end = strrchr(home, '/');
        if (end == NULL)
            return refuse();
        *end = '\0';
    }
    strlcpy(start, home, sizeof start);
    if (strlcat(home, "/Resources", sizeof home) >= sizeof home ||
        strlcat(start, "/Resources/start.pyc", sizeof start) >= sizeof start ||
        count < 1 || own + count > MOST_ARGUMENTS)
        return refuse();

    for (at = 0; at < own; at++)
        arguments[at] = options[at];
    for (at = 1; at < count; at++)
        arguments[own + at - 1] = given[at];
    arguments[own + count - 1] = NULL;

    /* Deprecated for a structure whose layout changes with each version; it stands in all 3.13. */
    Py_SetPythonHome(Py_DecodeLocale(home, NULL));
    return Py_BytesMain(own + count - 1, arguments);
}

/* The interpreter of the Windows build: hands its command line to CPython's library.
 * It is a tool of the build alone and never stands in a bundle. */
#include <wchar.h>

__declspec(dllimport) int Py_Main(int argc, wchar_t **argv);

int wmain(int argc, wchar_t **argv)
{
    return Py_Main(argc, argv);
}

/* Stands in for Windows' own bcryptprimitives.dll, which wine 8 has not and Rust's library
 * imports: random bytes come from the system's generator under its older name.
 * It is for wine prefixes alone and never stands in a bundle. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size)
{
    return RtlGenRandom(data, (ULONG)size);
}

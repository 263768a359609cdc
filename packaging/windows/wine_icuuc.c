/* Stands in for Windows' own icuuc.dll, which wine 8 has not and Qt's core imports.
 * It knows no code page: each opening fails as ICU's does for an unknown name.
 * It is for wine prefixes alone and never stands in a bundle. */
#include <stddef.h>
#include <stdint.h>

#define U_UNSUPPORTED_ERROR 16
#define EXPORT __declspec(dllexport)

EXPORT void *ucnv_open(const char *name, int *error)
{
    (void)name;
    *error = U_UNSUPPORTED_ERROR;
    return NULL;
}

EXPORT void ucnv_close(void *converter) { (void)converter; }
EXPORT void ucnv_reset(void *converter) { (void)converter; }
EXPORT int8_t ucnv_getMaxCharSize(const void *converter) { (void)converter; return 0; }
EXPORT int32_t ucnv_countAvailable(void) { return 0; }
EXPORT const char *ucnv_getAvailableName(int32_t index) { (void)index; return NULL; }
EXPORT int32_t ucnv_toUCountPending(const void *c, int *error) { (void)c; (void)error; return 0; }
EXPORT int32_t ucnv_fromUCountPending(const void *c, int *error) { (void)c; (void)error; return 0; }

EXPORT const char *ucnv_getName(const void *converter, int *error)
{
    (void)converter;
    *error = U_UNSUPPORTED_ERROR;
    return NULL;
}

EXPORT const char *ucnv_getStandardName(const char *name, const char *standard, int *error)
{
    (void)name;
    (void)standard;
    *error = U_UNSUPPORTED_ERROR;
    return NULL;
}

/* Never reached, since nothing was opened. */
EXPORT void UCNV_FROM_U_CALLBACK_SUBSTITUTE(void) {}
EXPORT void UCNV_TO_U_CALLBACK_SUBSTITUTE(void) {}
EXPORT void ucnv_getToUCallBack(void) {}
EXPORT void ucnv_getFromUCallBack(void) {}
EXPORT void ucnv_setToUCallBack(void) {}
EXPORT void ucnv_setFromUCallBack(void) {}
EXPORT void ucnv_cbToUWriteUChars(void) {}
EXPORT void ucnv_cbFromUWriteUChars(void) {}
EXPORT void ucnv_toUnicode(void) {}
EXPORT void ucnv_fromUnicode(void) {}

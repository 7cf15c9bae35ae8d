/* Every ISA of hcc is little-endian. */
#ifndef _ENDIAN_H
#define _ENDIAN_H

#include <stdint.h>

#define __LITTLE_ENDIAN 1234
#define __BIG_ENDIAN 4321
#define __PDP_ENDIAN 3412
#define __BYTE_ORDER __LITTLE_ENDIAN
#define __FLOAT_WORD_ORDER __BYTE_ORDER
#define LITTLE_ENDIAN __LITTLE_ENDIAN
#define BIG_ENDIAN __BIG_ENDIAN
#define PDP_ENDIAN __PDP_ENDIAN
#define BYTE_ORDER __BYTE_ORDER

#define htobe16(n) __builtin_bswap16(n)
#define htobe32(n) __builtin_bswap32(n)
#define htobe64(n) __builtin_bswap64(n)
#define be16toh(n) __builtin_bswap16(n)
#define be32toh(n) __builtin_bswap32(n)
#define be64toh(n) __builtin_bswap64(n)
#define htole16(n) ((uint16_t)(n))
#define htole32(n) ((uint32_t)(n))
#define htole64(n) ((uint64_t)(n))
#define le16toh(n) ((uint16_t)(n))
#define le32toh(n) ((uint32_t)(n))
#define le64toh(n) ((uint64_t)(n))

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* What base.h takes from the kernel, for the pure files in user space. */
#ifndef TCPCRYPT_WIRE_USER_BASE_H
#define TCPCRYPT_WIRE_USER_BASE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

static inline u16 get_unaligned_be16(const void *p)
{
	const u8 *b = (const u8 *)p;

	return (u16)(b[0] << 8 | b[1]);
}

static inline u32 get_unaligned_be32(const void *p)
{
	const u8 *b = (const u8 *)p;

	return (u32)get_unaligned_be16(b) << 16 | get_unaligned_be16(b + 2);
}

static inline u64 get_unaligned_be64(const void *p)
{
	const u8 *b = (const u8 *)p;

	return (u64)get_unaligned_be32(b) << 32 | get_unaligned_be32(b + 4);
}

static inline void put_unaligned_be16(u16 val, void *p)
{
	u8 *b = (u8 *)p;

	b[0] = (u8)(val >> 8);
	b[1] = (u8)val;
}

static inline void put_unaligned_be32(u32 val, void *p)
{
	u8 *b = (u8 *)p;

	put_unaligned_be16((u16)(val >> 16), b);
	put_unaligned_be16((u16)val, b + 2);
}

static inline void put_unaligned_be64(u64 val, void *p)
{
	u8 *b = (u8 *)p;

	put_unaligned_be32((u32)(val >> 32), b);
	put_unaligned_be32((u32)val, b + 4);
}

static inline void memzero_explicit(void *p, size_t len)
{
	memset(p, 0, len);
	__asm__ volatile("" : : "r"(p) : "memory");
}

#endif

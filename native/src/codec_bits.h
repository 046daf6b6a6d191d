/* Bit strings of the codecs, highest bit first: a writer that never passes its end, a reader that never passes its own.
 *
 * Neither stops in the middle of its work: the writer notes that it overflowed and the reader that it ran dry (and then
 * gives zeros), and the codec asks once per block. Copy the struct into a local before a hot loop and back after it:
 * a store through uint8_t may alias everything, so fields behind a pointer would be read again after each one.
 */
#ifndef FOS_CODEC_BITS_H
#define FOS_CODEC_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FOS_LOW_BYTE_FIRST true
#else
#define FOS_LOW_BYTE_FIRST false
#endif

typedef struct {
    uint8_t *next;
    uint8_t *end;
    uint64_t pending; /* the lowest pending_bits are still to be stored; what lies above is spent */
    uint32_t pending_bits; /* below 32 between calls */
    bool overflowed;
} fos_bit_writer_t;

static inline void fos_bits_store32(uint8_t *to, uint32_t value)
{
    if (FOS_LOW_BYTE_FIRST) { value = __builtin_bswap32(value); }
    memcpy(to, &value, sizeof value);
}

static inline uint64_t fos_bits_load64(const uint8_t *from)
{
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return FOS_LOW_BYTE_FIRST ? __builtin_bswap64(value) : value;
}

/* Appends the lowest width bits of value; width <= 32 and value < 2^width. */
static inline void fos_bits_put(fos_bit_writer_t *writer, uint32_t value, uint32_t width)
{
    writer->pending = (writer->pending << width) | value;
    writer->pending_bits += width;
    if (writer->pending_bits >= 32) {
        writer->pending_bits -= 32;
        if (writer->end - writer->next >= 4) {
            fos_bits_store32(writer->next, (uint32_t)(writer->pending >> writer->pending_bits));
            writer->next += 4;
        } else {
            writer->overflowed = true;
        }
    }
}

/* Appends zero_count zeros and a one: the fundamental sequence of CCSDS 121.0-B-3, 3.2. */
static inline void fos_bits_put_unary(fos_bit_writer_t *writer, uint32_t zero_count)
{
    while (zero_count > 31) {
        fos_bits_put(writer, 0, 32);
        zero_count -= 32;
    }
    fos_bits_put(writer, 1, zero_count + 1);
}

/* Fills the last byte with zeros. */
static inline void fos_bits_pad_byte(fos_bit_writer_t *writer)
{
    fos_bits_put(writer, 0, (8 - (writer->pending_bits & 7)) & 7);
}

/* Stores what is left, the last byte filled with zeros. False when it, or something before it, did not fit. */
static inline bool fos_bits_finish(fos_bit_writer_t *writer)
{
    fos_bits_pad_byte(writer);
    while (writer->pending_bits > 0) {
        if (writer->next == writer->end) { return false; }
        writer->pending_bits -= 8;
        *writer->next++ = (uint8_t)(writer->pending >> writer->pending_bits);
    }
    return !writer->overflowed;
}

/* A writer without branches, for where there is room: every call stores 8 bytes and moves on by the whole ones of them.
 * Code words are so short and irregular that the question whether a word is full would be guessed wrong all the time. */
typedef struct {
    uint8_t *next;
    uint64_t pending; /* the highest pending_bits are still to be stored, the others are zero */
    uint32_t pending_bits; /* below 8 between calls */
} fos_bit_stream_t;

/* Appends the lowest width bits of value; width <= 56, value < 2^width, and 8 bytes of room. */
static inline void fos_bits_stream(fos_bit_stream_t *stream, uint64_t value, uint32_t width)
{
    stream->pending |= value << 1 << (63 - stream->pending_bits - width);
    const uint32_t used = stream->pending_bits + width;
    const uint64_t stored = FOS_LOW_BYTE_FIRST ? __builtin_bswap64(stream->pending) : stream->pending;
    memcpy(stream->next, &stored, sizeof stored);
    stream->next += used >> 3;
    stream->pending = stream->pending << (used & 0x38);
    stream->pending_bits = used & 7;
}

typedef struct {
    const uint8_t *next;
    const uint8_t *end;
    uint64_t window; /* the next bits, from the top; what lies below window_bits is either zero or true data */
    uint32_t window_bits;
    bool exhausted;
} fos_bit_reader_t;

/* At least 56 bits in the window, or all that there are. */
static inline void fos_bits_refill(fos_bit_reader_t *reader)
{
    if (reader->window_bits > 56) { return; }
    if (reader->end - reader->next >= 8) {
        reader->window |= fos_bits_load64(reader->next) >> reader->window_bits;
        const uint32_t taken_bytes = (63 - reader->window_bits) >> 3;
        reader->next += taken_bytes;
        reader->window_bits += 8 * taken_bytes;
        return;
    }
    while (reader->window_bits <= 56 && reader->next < reader->end) {
        reader->window |= (uint64_t)*reader->next++ << (56 - reader->window_bits);
        reader->window_bits += 8;
    }
}

/* The next width bits, width <= 32; missing bits are zeros, and noted. */
static inline uint32_t fos_bits_take(fos_bit_reader_t *reader, uint32_t width)
{
    if (width == 0) { return 0; }
    if (reader->window_bits < width) { fos_bits_refill(reader); }
    const uint32_t value = (uint32_t)(reader->window >> (64 - width));
    if (reader->window_bits < width) {
        reader->exhausted = true;
        reader->window = 0;
        reader->window_bits = 0;
        return value;
    }
    reader->window <<= width;
    reader->window_bits -= width;
    return value;
}

/* A run of zeros that leaves the window, or does not end at all. */
static inline uint32_t fos_bits_take_unary_slow(fos_bit_reader_t *reader, uint32_t zero_count_max)
{
    uint32_t zero_count = 0;
    for (;;) {
        fos_bits_refill(reader);
        if (reader->window_bits == 0) { break; }
        const uint32_t run = reader->window == 0 ? 64 : (uint32_t)__builtin_clzll(reader->window);
        if (run < reader->window_bits) {
            reader->window = reader->window << run << 1;
            reader->window_bits -= run + 1;
            zero_count += run;
            if (zero_count > zero_count_max) { break; }
            return zero_count;
        }
        zero_count += reader->window_bits;
        reader->window = 0;
        reader->window_bits = 0;
        if (zero_count > zero_count_max) { break; }
    }
    reader->exhausted = true;
    return 0;
}

/* The zeros before the next one, and that one, are taken. More than zero_count_max < 2^31 zeros, or the end of the
 * source, give 0 and are noted as running dry. */
static inline uint32_t fos_bits_take_unary(fos_bit_reader_t *reader, uint32_t zero_count_max)
{
    if (reader->window_bits < 32) { fos_bits_refill(reader); }
    const uint32_t run = reader->window == 0 ? 64 : (uint32_t)__builtin_clzll(reader->window);
    if (__builtin_expect(run >= reader->window_bits, 0)) { return fos_bits_take_unary_slow(reader, zero_count_max); }
    reader->window = reader->window << run << 1;
    reader->window_bits -= run + 1;
    if (run <= zero_count_max) { return run; }
    reader->exhausted = true;
    return 0;
}

/* Skips to the next whole byte of the source. */
static inline void fos_bits_skip_to_byte(fos_bit_reader_t *reader)
{
    (void)fos_bits_take(reader, reader->window_bits & 7);
}

/* From the last bit to the first: what the hybrid decoder of CCSDS 123.0-B-2 needs (5.4.3.3.1). */
typedef struct {
    const uint8_t *begin;
    const uint8_t *next;   /* the byte before it is taken next */
    uint64_t window;       /* the bits before the place, the last of them lowest; zeros or true data above window_bits */
    uint32_t window_bits;
    bool exhausted;
} fos_bit_backward_t;

/* At least 56 bits in the window, or all that there are. */
static inline void fos_bits_refill_backward(fos_bit_backward_t *reader)
{
    if (reader->window_bits > 56) { return; }
    if (reader->next - reader->begin >= 8) {
        reader->window |= fos_bits_load64(reader->next - 8) << reader->window_bits;
        const uint32_t taken_bytes = (63 - reader->window_bits) >> 3;
        reader->next -= taken_bytes;
        reader->window_bits += 8 * taken_bytes;
        return;
    }
    while (reader->window_bits <= 56 && reader->next > reader->begin) {
        reader->window |= (uint64_t)*--reader->next << reader->window_bits;
        reader->window_bits += 8;
    }
}

/* The width bits before the place, width <= 56, the last of them lowest; missing bits are zeros, and noted. */
static inline uint64_t fos_bits_take_backward(fos_bit_backward_t *reader, uint32_t width)
{
    if (reader->window_bits < width) { fos_bits_refill_backward(reader); }
    const uint64_t value = reader->window & (((uint64_t)1 << width) - 1);
    if (reader->window_bits < width) {
        reader->exhausted = true;
        reader->window = 0;
        reader->window_bits = 0;
        return value;
    }
    reader->window >>= width;
    reader->window_bits -= width;
    return value;
}

#endif

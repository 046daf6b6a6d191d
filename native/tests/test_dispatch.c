/* The table of function pointers: any upset in it is found, and it can be filled anew. */
#include "harness.h"

#include "kernels_internal.h"

/* Every single bit of the table and of the checksums. */
static void test_every_upset_is_found_and_undone(void)
{
    fos_guarded_kernels_t *const memory = fos_kernels_memory();
    const fos_guarded_kernels_t before = *memory;
    const char *const name = fos_isa_name();
    CHECK(fos_dispatch_verify() == FOS_OK);
    const size_t bit_count = 8 * sizeof *memory;
    unsigned long found_count = 0;
    unsigned long undone_count = 0;
    for (size_t bit = 0; bit < bit_count; bit++) {
        ((unsigned char *)memory)[bit / 8] ^= (unsigned char)(1u << (bit % 8));
        found_count += fos_dispatch_verify() == FOS_ERR_CORRUPT;
        /* An upset in the name alone loses the level: the first choice is then made again. */
        const int is_level_known = memory->kernels.name == name;
        fos_dispatch_renew();
        undone_count += fos_dispatch_verify() == FOS_OK &&
                        (!is_level_known || memcmp(memory, &before, sizeof before) == 0);
        (void)fos_isa_select(name);
    }
    CHECK(found_count == bit_count);
    CHECK(undone_count == bit_count);
    CHECK(fos_crc32c(0, (const uint8_t *)"123456789", 9) == 0xE3069283u);
}

static void test_every_entry_is_filled(void)
{
    const unsigned char *bytes = (const unsigned char *)&fos_kernels_memory()->kernels;
    for (size_t entry = 0; entry < sizeof(fos_kernels_t); entry += sizeof(void *)) {
        void *pointer;
        memcpy(&pointer, bytes + entry, sizeof pointer);
        CHECK(pointer != NULL);
    }
}

/* Bits of every look-up table, some hundreds apart: each is found, and renewing gives the same tables as before. */
static void test_upsets_in_look_up_tables(void)
{
    for (const fos_lookup_t *lookup = fos_lookups; lookup->memory != NULL; lookup++) {
        CHECK(lookup->byte_count % 8 == 0);
        unsigned char *before = malloc(lookup->byte_count);
        if (before == NULL) { abort(); }
        memcpy(before, lookup->memory, lookup->byte_count);
        for (size_t bit = next_random() % 997; bit < 8 * lookup->byte_count; bit += 4999) {
            ((unsigned char *)lookup->memory)[bit / 8] ^= (unsigned char)(1u << (bit % 8));
            CHECK(fos_dispatch_verify() == FOS_ERR_CORRUPT);
            fos_dispatch_renew();
            CHECK(fos_dispatch_verify() == FOS_OK);
            CHECK(memcmp(before, lookup->memory, lookup->byte_count) == 0);
        }
        free(before);
    }
}

int main(void)
{
    on_every_isa(test_every_entry_is_filled);
    on_every_isa(test_every_upset_is_found_and_undone);
    test_upsets_in_look_up_tables();
    CHECK(fos_isa_select("no_such_level") == FOS_ERR_UNSUPPORTED);
    CHECK(fos_dispatch_verify() == FOS_OK);
    return report();
}

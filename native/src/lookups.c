/* The list of the look-up tables that the checksum of the dispatch covers. */
#include "protection_internal.h"

extern uint16_t fos_crc16_table[8][256];
extern uint32_t fos_crc32c_table[8][256];

const fos_lookup_t fos_lookups[] = {
    {fos_crc16_table, sizeof fos_crc16_table},
    {fos_crc32c_table, sizeof fos_crc32c_table},
    {fos_crc16_fold, sizeof fos_crc16_fold},
    {fos_crc32c_fold, sizeof fos_crc32c_fold},
    {fos_crc32c_skip_long, sizeof fos_crc32c_skip_long},
    {fos_crc32c_skip_middle, sizeof fos_crc32c_skip_middle},
    {fos_crc32c_skip_short, sizeof fos_crc32c_skip_short},
    {fos_secded_check_table, sizeof fos_secded_check_table},
    {fos_secded_nibble_table, sizeof fos_secded_nibble_table},
    {fos_secded_action, sizeof fos_secded_action},
    {fos_gf_nibbles, sizeof fos_gf_nibbles},
    {fos_gf_matrix, sizeof fos_gf_matrix},
    {NULL, 0},
};

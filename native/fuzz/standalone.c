/* Runs a fuzz target without libFuzzer: files named on the command line and those of folders named there first, then a
 * seeded mutator for a bounded time.
 *
 *   fuzz_erasure [-executions=20000] [-seconds=60] [-seed=1] [-save=1] [-seeds=FOLDER] [FILE or FOLDER...]
 *
 * The mutator has no feedback from the program: it starts from the files and from what the target itself gives as a
 * valid input (fos_fuzz_seed), changes a few bits, bytes and lengths of one or splices two, and keeps some of the
 * results. A fault shows as a report of the sanitizer and a non-zero exit. With -save=1 each input is written to
 * fuzz_crash.bin before it is run, slowly, so that a fault can be repeated. With -seeds=FOLDER the target's own valid
 * inputs are written there: what libFuzzer may begin with. A seed gives the same inputs everywhere.
 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_count);

/* A valid input for the target, of at most `capacity` bytes; `turn` tells several apart. 0 bytes: no more. */
size_t fos_fuzz_seed(uint8_t *bytes, size_t capacity, unsigned turn);

#define INPUT_BYTES_MAX 8192u
#define POOL_COUNT_MAX 512u
#define SEED_COUNT_MAX 32u
#define PATH_BYTES_MAX 4096u

typedef struct {
    uint8_t bytes[INPUT_BYTES_MAX];
    size_t byte_count;
} input_t;

static input_t pool[POOL_COUNT_MAX];
static size_t pool_count = 0;
static uint64_t stream = 1;

/* xorshift64 (Marsaglia 2003) */
static uint32_t next_random(void)
{
    stream ^= stream << 13;
    stream ^= stream >> 7;
    stream ^= stream << 17;
    return (uint32_t)(stream >> 32);
}

static void keep(const input_t *input)
{
    const size_t slot = pool_count < POOL_COUNT_MAX ? pool_count++ : next_random() % POOL_COUNT_MAX;
    pool[slot] = *input;
}

static void change_once(input_t *input)
{
    const size_t place = input->byte_count == 0 ? 0 : next_random() % input->byte_count;
    const input_t *other = &pool[next_random() % pool_count];
    switch (next_random() % 8) {
    case 0:
    case 1:
    case 2:
        if (input->byte_count > 0) { input->bytes[place] ^= (uint8_t)(1u << (next_random() % 8)); }
        break;
    case 3:
        if (input->byte_count > 0) { input->bytes[place] = (uint8_t)next_random(); }
        break;
    case 4: /* values that lengths trip over */
        for (size_t byte = place; byte < input->byte_count && byte < place + 1u + next_random() % 8; byte++) {
            input->bytes[byte] = next_random() % 2 == 0 ? 0xFF : 0;
        }
        break;
    case 5:
        input->byte_count = place;
        break;
    case 6:
        while (input->byte_count < INPUT_BYTES_MAX && next_random() % 32 != 0) {
            input->bytes[input->byte_count++] = (uint8_t)next_random();
        }
        break;
    default: /* the tail of another */
        if (other->byte_count > place) {
            memcpy(input->bytes + place, other->bytes + place, other->byte_count - place);
            input->byte_count = other->byte_count;
        }
        break;
    }
}

static void run(const input_t *input)
{
    /* A copy of exactly this size, so that the address sanitizer sees any byte read beyond. */
    uint8_t *exact = malloc(input->byte_count);
    if (exact == NULL && input->byte_count > 0) { abort(); }
    if (input->byte_count > 0) { memcpy(exact, input->bytes, input->byte_count); }
    (void)LLVMFuzzerTestOneInput(exact, input->byte_count);
    free(exact);
}

static void run_file(const char *path)
{
    static input_t input;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(2);
    }
    input.byte_count = fread(input.bytes, 1, INPUT_BYTES_MAX, file);
    (void)fclose(file);
    run(&input);
    keep(&input);
}

/* All files of a folder, by name, so that the pool is the same everywhere. False when it is no folder. */
static bool run_folder(const char *path)
{
    struct dirent **entries = NULL;
    const int entry_count = scandir(path, &entries, NULL, alphasort);
    unsigned file_count = 0;
    for (int index = 0; index < entry_count; index++) {
        char file_path[PATH_BYTES_MAX];
        if (entries[index]->d_name[0] != '.') {
            (void)snprintf(file_path, sizeof file_path, "%s/%s", path, entries[index]->d_name);
            run_file(file_path);
            file_count++;
        }
        free(entries[index]);
    }
    free(entries);
    if (entry_count >= 0) { printf("%u files of %s without a fault\n", file_count, path); }
    return entry_count >= 0;
}

static unsigned long option(const char *argument, const char *name, unsigned long current)
{
    const size_t length = strlen(name);
    return strncmp(argument, name, length) == 0 ? strtoul(argument + length, NULL, 10) : current;
}

static void save(const input_t *input, const char *path)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL) { return; }
    (void)fwrite(input->bytes, 1, input->byte_count, file);
    (void)fclose(file);
}

/* What the target itself calls valid is run, kept, and written to a folder where one is named. */
static void run_seeds(const char *folder)
{
    static input_t input;
    for (unsigned turn = 0; turn < SEED_COUNT_MAX; turn++) {
        input.byte_count = fos_fuzz_seed(input.bytes, INPUT_BYTES_MAX, turn);
        if (input.byte_count == 0) { break; }
        run(&input);
        keep(&input);
        if (folder != NULL) {
            char path[PATH_BYTES_MAX];
            (void)snprintf(path, sizeof path, "%s/seed_%02u", folder, turn);
            save(&input, path);
        }
    }
}

int main(int argument_count, char **arguments)
{
    static const char seeds_option[] = "-seeds=";
    unsigned long executions = 20000;
    unsigned long seconds = 60;
    unsigned long seed = 1;
    unsigned long is_saving = 0;
    const char *seeds_folder = NULL;
    static input_t input;
    for (int index = 1; index < argument_count; index++) {
        executions = option(arguments[index], "-executions=", executions);
        seconds = option(arguments[index], "-seconds=", seconds);
        seed = option(arguments[index], "-seed=", seed);
        is_saving = option(arguments[index], "-save=", is_saving);
        if (strncmp(arguments[index], seeds_option, sizeof seeds_option - 1) == 0) {
            seeds_folder = arguments[index] + sizeof seeds_option - 1;
        }
    }
    run_seeds(seeds_folder);
    for (int index = 1; index < argument_count; index++) {
        if (arguments[index][0] != '-' && !run_folder(arguments[index])) { run_file(arguments[index]); }
    }
    if (pool_count == 0) { pool_count = 1; }
    stream = 0x9E3779B97F4A7C15u * (seed + 1);
    const time_t end = time(NULL) + (time_t)seconds;
    unsigned long done = 0;
    for (; done < executions && (done % 256 != 0 || time(NULL) < end); done++) {
        input = pool[next_random() % pool_count];
        const unsigned changes = 1 + next_random() % 6;
        for (unsigned change = 0; change < changes; change++) { change_once(&input); }
        if (is_saving != 0) { save(&input, "fuzz_crash.bin"); }
        run(&input);
        if (next_random() % 128 == 0) { keep(&input); }
    }
    printf("%lu executions without a fault (seed %lu)\n", done, seed);
    return EXIT_SUCCESS;
}

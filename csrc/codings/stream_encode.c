/*
 * Encodes one stream: chooses a coding by the profile, and writes the header before the body.
 *
 * Codings are considered from the fastest to the slowest to decode. A slower one has to save 1/64
 * of the best before it, and plain Huffman, which no vectors decode, 1/32; in profile `small`,
 * saving one byte is enough. Most codings know their size from the histogram; only contexts
 * have to be tried.
 */
#include "codings/stream_encode.h"
#include "base/log2_fixed.h"
#include "base/workspace.h"
#include "kernels/bitpacking.h"

/* What contexts and tables may cost beyond bitpacked: the bytes that contexts need to learn,
   and an eighth for symbols that mislead them all the time. */
#define LEARNING_BYTES 512

/* What 128 lanes may take beyond that: their head, first words and last bits. */
#define LANES_BYTES 1280

/* Where speed counts too, a coding must save this part of the best of those that are faster, and
   more if no vector instructions decode it. */
#define WORTHWHILE_PART 64
#define SCALAR_PART     32

/* Balanced: every so many decisions of a stream make each of them as dear again. Contexts hardly
   ever save more than this part, so they are not tried where they would have to. */
#define DEAR_DECISIONS 200000
#define PLAUSIBLE_PART 8

/* Plain Huffman decodes so many times as fast as contexts, and more: to be safe. */
#define HUFFMAN_PART 4

/* So few decisions are tried at once: that takes 50 us. */
#define SURE_DECISIONS 8192

/* Times the number of possible symbols: in a part of so many, a table of its own costs 1 %. */
#define PART_SYMBOLS 128

static const qc_stream_encoder *const encoders[QC_CODING_COUNT] = {
    &qc_constant_encoder, &qc_bitpacked_encoder,     &qc_huffman_encoder,
    &qc_contexts_encoder, &qc_lanes_huffman_encoder, &qc_lanes_tans_encoder,
};

#define FIXED_WIDTH (QC_CODING_MASK(QC_CONSTANT) | QC_CODING_MASK(QC_BITPACKED))
#define LANES       (QC_CODING_MASK(QC_LANES_HUFFMAN) | QC_CODING_MASK(QC_LANES_TANS))

static const uint64_t profile_codings[] = {
    [QC_FAST] = FIXED_WIDTH | LANES,
    [QC_BALANCED] = ~(uint64_t)0,
    [QC_SMALL] = ~(uint64_t)0,
    [QC_FIXED] = FIXED_WIDTH,
};

/* Those that know their size beforehand, the fastest first. */
static const qc_coding by_speed[] = {QC_CONSTANT, QC_BITPACKED, QC_LANES_HUFFMAN, QC_LANES_TANS,
                                     QC_HUFFMAN};

_Static_assert(sizeof(qc_encoder_input) + 2 * QC_WORKSPACE_ALIGNMENT + QC_ENCODE_SCRATCH <=
                   QC_WORKSPACE_BYTES,
               "the workspace holds the input and its scratch memory; the copy before it");
_Static_assert(LEARNING_BYTES + LANES_BYTES + QC_ENCODE_SLACK <= QC_ENCODE_SCRATCH,
               "the scratch memory holds a body");
_Static_assert(sizeof(qc_encoder_input) % 8 == 0, "scratch is aligned");

/* What the choice has come to. */
typedef struct choice {
    unsigned coding;
    size_t bytes; /* of the body; QC_NO_ENCODING: nothing chosen yet */
} choice;

static size_t body_bound(size_t count, unsigned width)
{
    size_t bitpacked = qc_bitpacked_bytes(count, width);
    return bitpacked + bitpacked / 8 + LEARNING_BYTES + LANES_BYTES;
}

size_t qc_stream_bound(size_t count, unsigned width)
{
    return 1 + QC_VU_MAX_BYTES + body_bound(count, width) + QC_ENCODE_SLACK;
}

static void add_parts(const uint64_t histogram[QC_HISTOGRAM_PARTS][256], uint64_t counts[256])
{
    for (unsigned s = 0; s < 256; s++)
        counts[s] = histogram[0][s] + histogram[1][s] + histogram[2][s] + histogram[3][s];
}

void qc_count_narrow(const uint8_t *symbols, size_t count, unsigned width, uint64_t counts[256])
{
    qc_histogram histogram;
    qc_count_symbols(symbols, count, width, histogram);
    add_parts((const uint64_t(*)[256])histogram, counts);
}

static void survey_narrow(qc_encoder_input *input)
{
    qc_count_symbols(input->symbols, input->count, input->width, input->histogram);
    add_parts((const uint64_t(*)[256])input->histogram, input->counts);
    for (unsigned s = 0; s < 256; s++)
        if (input->counts[s] != 0)
            input->max = s;
}

static void survey_wide(qc_encoder_input *input)
{
    const uint16_t *symbols = input->symbols;
    unsigned largest = 0;
    for (size_t i = 0; i < input->count; i++)
        largest = symbols[i] > largest ? symbols[i] : largest;
    input->max = largest;
}

static int is_constant(const qc_encoder_input *input)
{
    size_t size = qc_symbol_size(input->width);
    const uint8_t *bytes = input->symbols;
    /* Equal to itself, shifted by one symbol. */
    return input->count < 2 || memcmp(bytes, bytes + size, (input->count - 1) * size) == 0;
}

static void survey(qc_encoder_input *input, const void *symbols, size_t count, unsigned width,
                   qc_ticker *ticker)
{
    memset(input, 0, sizeof *input);
    input->ticker = ticker;
    input->symbols = symbols;
    input->count = count;
    input->width = width;
    input->scratch = (uint8_t *)(input + 1);
    if (width <= 8)
        survey_narrow(input);
    else
        survey_wide(input);
    input->first = count > 0 ? qc_input_symbol(input, 0) : 0;
    input->constant = is_constant(input);
}

/* The bytes below which a coding has to stay to be preferred to the best of those that are faster.
 */
static size_t allowed_bytes(const choice *best, qc_coding coding, qc_profile profile)
{
    if (profile == QC_SMALL || best->bytes == QC_NO_ENCODING)
        return best->bytes;
    return best->bytes - best->bytes / (coding == QC_HUFFMAN ? SCALAR_PART : WORTHWHILE_PART);
}

/* What symbols of these counts take by their entropy. Logarithms are too small, by less than two
   units: with `slack` 2 no code of single symbols takes fewer bytes. */
static size_t entropy_bytes(const uint64_t counts[256], size_t count, unsigned slack)
{
    uint64_t units = 0;
    if (count == 0 || count > UINT32_MAX)
        return 0;
    unsigned all = qc_log2_fixed((uint32_t)count);
    for (unsigned s = 0; s < 256; s++) {
        unsigned own = counts[s] > 0 ? qc_log2_fixed((uint32_t)counts[s]) + slack : all;
        units += own < all ? counts[s] * (all - own) : 0;
    }
    return (size_t)(units / QC_LOG2_ONE / 8);
}

/* Codings whose codes need tables are compared only if they may be small enough. */
static choice choose(qc_encoder_input *input, uint64_t codings, qc_profile profile)
{
    choice best = {0, QC_NO_ENCODING};
    size_t least = input->width <= 8 ? entropy_bytes(input->counts, input->count, 2) : 0;
    for (size_t i = 0; i < sizeof by_speed / sizeof *by_speed; i++) {
        size_t allowed = allowed_bytes(&best, by_speed[i], profile);
        if (!(codings >> by_speed[i] & 1) ||
            (!(FIXED_WIDTH >> by_speed[i] & 1) && least >= allowed))
            continue;
        size_t bytes = encoders[by_speed[i]]->size(input);
        if (bytes < allowed)
            best = (choice){by_speed[i], bytes};
    }
    return best;
}

/* Write the body, by the choice or by contexts if that comes out smaller; adjusts the
   choice. QC_NO_ENCODING stays if nothing can hold the symbols. */
static void encode_body(const qc_encoder_input *input, size_t contexts_limit, choice *best,
                        uint8_t *out)
{
    if (contexts_limit > 0) {
        size_t bytes = encoders[QC_CONTEXTS]->encode(input, out, contexts_limit);
        if (bytes != QC_NO_ENCODING) {
            *best = (choice){QC_CONTEXTS, bytes};
            return;
        }
    }
    if (best->bytes != QC_NO_ENCODING)
        best->bytes = encoders[best->coding]->encode(input, out, best->bytes);
}

size_t qc_stream_least(const uint8_t *symbols, size_t count, unsigned width)
{
    uint64_t counts[256];
    qc_count_narrow(symbols, count, width, counts);
    return entropy_bytes(counts, count, 2);
}

size_t qc_contexts_limit(size_t bytes, size_t count, unsigned width, qc_profile profile)
{
    if (profile == QC_SMALL)
        return bytes > 0 ? bytes - 1 : 0;
    if (count > UINT32_MAX / 16)
        return 0;
    uint64_t decisions = (uint64_t)count * width;
    uint64_t dear = decisions + decisions * decisions / DEAR_DECISIONS;
    uint64_t saving = dear / QC_DECISIONS_PER_BYTE + 1;
    size_t most = decisions <= SURE_DECISIONS ? bytes : bytes / PLAUSIBLE_PART;
    return saving >= most ? 0 : bytes - (size_t)saving;
}

/* Whether contexts may stay within the limit because parts of the stream differ: by the entropy of
   each part alone. Parts are long enough for tables of their own to pay. */
static int may_adapt(const qc_encoder_input *input, size_t limit)
{
    size_t part = (size_t)PART_SYMBOLS << input->width, bytes = 0;
    const uint8_t *symbols = input->symbols;
    if (input->width > 8 || input->count * input->width <= SURE_DECISIONS)
        return 1;
    for (size_t i = 0; i < input->count && bytes <= limit; i += part) {
        uint64_t counts[256];
        size_t count = input->count - i < part ? input->count - i : part;
        qc_count_narrow(symbols + i, count, input->width, counts);
        bytes += entropy_bytes(counts, count, 0);
    }
    return bytes <= limit;
}

/* The most bytes that contexts may take; 0: they are not tried. Plain Huffman may pay instead: it
   is taken for a part of what contexts would have to save, and they have to pay beside it. */
static size_t limit_contexts(qc_encoder_input *input, uint64_t codings, qc_profile profile,
                             choice *best)
{
    if ((codings & QC_CODING_MASK(QC_CONTEXTS)) == 0)
        return 0;
    if (best->bytes == QC_NO_ENCODING)
        return body_bound(input->count, input->width);
    size_t limit = qc_contexts_limit(best->bytes, input->count, input->width, profile);
    if (profile == QC_SMALL || limit == 0)
        return limit;
    if ((codings & QC_CODING_MASK(QC_HUFFMAN)) != 0 && best->coding != QC_HUFFMAN) {
        size_t bytes = encoders[QC_HUFFMAN]->size(input), saving = best->bytes - limit;
        size_t beside = qc_contexts_limit(bytes, input->count, input->width, profile);
        limit = beside < limit ? beside : limit;
        if (bytes != QC_NO_ENCODING && bytes + saving / HUFFMAN_PART < best->bytes)
            *best = (choice){QC_HUFFMAN, bytes};
    }
    return may_adapt(input, limit) ? limit : 0;
}

size_t qc_stream_estimate(const uint64_t counts[256], unsigned width, uint64_t codings,
                          qc_profile profile, void *workspace)
{
    qc_encoder_input *input = qc_workspace_align(workspace);
    unsigned distinct = 0;
    memset(input, 0, sizeof *input);
    for (unsigned s = 0; s < 256; s++) {
        input->counts[s] = counts[s];
        input->count += (size_t)counts[s];
        input->max = counts[s] != 0 ? s : input->max;
        distinct += counts[s] != 0;
        for (unsigned part = 0; part < QC_HISTOGRAM_PARTS; part++)
            input->histogram[part][s] = (counts[s] + part) / QC_HISTOGRAM_PARTS;
    }
    input->width = width;
    input->constant = distinct < 2;
    input->first = input->max;
    input->smallest = profile == QC_SMALL;
    size_t bytes = choose(input, codings & profile_codings[profile], profile).bytes;
    return bytes == QC_NO_ENCODING ? body_bound(input->count, width) : bytes;
}

qc_status qc_stream_encode_stable(qc_ticker *ticker, const void *symbols, size_t count,
                                  unsigned width, uint64_t codings, qc_profile profile, void *out,
                                  size_t capacity, size_t *size, void *workspace, qc_error *error)
{
    qc_encoder_input *input = qc_workspace_align(workspace);
    uint8_t *bytes = out;
    /* The body is written behind the longest header, and moved up to its own. */
    uint8_t *body = bytes + 1 + QC_VU_MAX_BYTES;

    QC_CHECK((unsigned)profile <= QC_FIXED, QC_INVALID, "stream: profile", 0, profile, QC_FIXED);
    QC_CHECK(capacity >= qc_stream_bound(count, width), QC_NO_SPACE, "stream: output buffer", 0,
             capacity, qc_stream_bound(count, width));
    survey(input, symbols, count, width, ticker);
    QC_CHECK(input->max >> width == 0, QC_INVALID, "stream: largest symbol", 0, input->max,
             (1u << width) - 1);

    input->smallest = profile == QC_SMALL;
    codings &= profile_codings[profile];
    choice best = choose(input, codings, profile);
    size_t contexts_limit = limit_contexts(input, codings, profile, &best);
    encode_body(input, contexts_limit, &best, body);
    QC_GO_ON_IF(!ticker->stopped);
    QC_CHECK(best.bytes != QC_NO_ENCODING, QC_INVALID,
             "stream: no allowed coding holds the symbols", 0, codings, 0);

    bytes[0] = (uint8_t)best.coding;
    size_t header = 1 + qc_write_vu(bytes + 1, best.bytes);
    memmove(bytes + header, body, best.bytes);
    *size = header + best.bytes;
    return QC_OK;
}

qc_status qc_stream_encode(const void *symbols, size_t count, unsigned width, uint64_t codings,
                           qc_profile profile, void *out, size_t capacity, size_t *size,
                           void *workspace, const qc_poll *poll, qc_error *error)
{
    uint8_t *own = qc_workspace_align(workspace);
    size_t bytes = count * qc_symbol_size(width);
    qc_ticker ticker = qc_ticker_of(poll);
    QC_CHECK(width >= 1 && width <= 16, QC_INVALID, "stream: width", 0, width, 16);
    if (bytes > 0)
        memcpy(own, symbols, bytes);
    return qc_stream_encode_stable(&ticker, own, count, width, codings, profile, out, capacity,
                                   size, own + bytes, error);
}

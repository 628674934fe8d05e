/* Write a node for seedbed in C: one header, C99, nothing but the C library and two POSIX calls, read and write.
 *
 *     #define SEEDBED_IMPLEMENTATION      // in exactly one file
 *     #include "seedbed.h"
 *
 *     static void on_message(sb_node *node, void *state, const char *src, sb_json message) {
 *         if (sb_is(sb_get(message, "type"), "Ping")) {
 *             sb_send(node, src, "Pong");
 *             sb_put_int(node, "count", sb_int(sb_get(message, "count"), 0));
 *         }
 *     }
 *
 *     int main(void) {
 *         sb_handlers handlers = {0};
 *         handlers.on_message = on_message;
 *         return sb_run(&handlers, NULL);
 *     }
 *
 * The testbed calls the handlers one at a time, under virtual time; inside a handler no time passes. A node must not read a clock or an entropy
 * source, nor start threads: its time is sb_now, its randomness sb_random. sb_crash crashes the node with a message for the report. What
 * was passed to sb_save survives a crash; everything else is lost. Printing is harmless but not shown; use sb_log.
 *
 * A JSON value is a slice of the turn's text (sb_json). It is valid until the handler returns; copy what you need later.
 * Every misuse of this header (an unknown node, an invalid name, a field outside a message) is an sb_crash that says so.
 * Memory is bounded by the protocol: a line has at most 1 MiB in either direction. PROTOCOL.md describes the protocol.
 */
#ifndef SEEDBED_H
#define SEEDBED_H

#include <stddef.h>
#include <stdint.h>

/* Durations are in nanoseconds. */
#define SB_MS UINT64_C(1000000)
#define SB_S UINT64_C(1000000000)

/* The context through which a node sees and affects the world. */
typedef struct sb_node sb_node;

/* A JSON value as text; of length 0 if there is none. */
typedef struct {
    const char *at;
    size_t length;
} sb_json;

/* The handlers; NULL if the node does nothing. */
typedef struct {
    /* The node starts for the first time. */
    void (*on_init)(sb_node *node, void *state);
    /* It restarts after a crash or a stop, with the values of sb_saved; NULL: on_init. */
    void (*on_restart)(sb_node *node, void *state);
    /* A message has arrived from the node or client `src`. */
    void (*on_message)(sb_node *node, void *state, const char *src, sb_json message);
    /* A timer has expired. */
    void (*on_timer)(sb_node *node, void *state, const char *name);
    /* The scenario sends a command: "transfer_leadership n2". */
    void (*on_command)(sb_node *node, void *state, const char *command);
    /* The process is being stopped; the effects of this handler still happen. */
    void (*on_stop)(sb_node *node, void *state);
    /* `src` has connected to a port that this node listens on. */
    void (*on_accept)(sb_node *node, void *state, uint64_t stream, const char *src, int port);
    /* A connection that this node opened is established. */
    void (*on_connect)(sb_node *node, void *state, uint64_t stream);
    /* Bytes have arrived, in order; how they are split has no meaning. */
    void (*on_data)(sb_node *node, void *state, uint64_t stream, const unsigned char *data, size_t length);
    /* No more bytes will arrive: "closed" by the peer (this side may still write), "refused", "reset" or "timed_out". NULL: this side closes too. */
    void (*on_close)(sb_node *node, void *state, uint64_t stream, const char *reason);
    /* The send buffer, which had been too full, has drained below half. */
    void (*on_writable)(sb_node *node, void *state, uint64_t stream);
} sb_handlers;

/* Run a node until the testbed ends the process; the status for main to return. `state` is passed to every handler. */
int sb_run(const sb_handlers *handlers, void *state);

/* The node's own name, its role, its peers (the other nodes of that role), and all nodes and clients. */
const char *sb_name(const sb_node *node);
const char *sb_role(const sb_node *node);
size_t sb_peer_count(const sb_node *node);
const char *sb_peer(const sb_node *node, size_t index);
size_t sb_node_count(const sb_node *node);
const char *sb_node_name(const sb_node *node, size_t index);

/* The monotonic clock, and the wall clock since 1970, which can be wrong and step; both in ns. */
uint64_t sb_now(const sb_node *node);
int64_t sb_wall(const sb_node *node);
/* 64 random bits from the run's seed, and a number from 0 (inclusive) to `end` (exclusive), which must not be 0. */
uint64_t sb_random(sb_node *node);
uint64_t sb_random_below(sb_node *node, uint64_t end);

/* Timers: on_timer(name) is called once after this many ns, replacing an earlier setting of this timer. */
void sb_set_timer(sb_node *node, const char *name, uint64_t after_ns);
void sb_cancel_timer(sb_node *node, const char *name);

/* Start a message of a type; the sb_put_... that follow are its fields. It ends with the next operation or the handler. It may be lost, duplicated,
 * delayed or reordered. */
void sb_send(sb_node *node, const char *dest, const char *type);
/* Send an existing object: a received or a saved one. */
void sb_send_json(sb_node *node, const char *dest, sb_json body);
/* Start saving: exactly one sb_put_... without a key, or one sb_begin_..., must follow; sb_put_null removes. Messages that follow leave when it is durable. */
void sb_save(sb_node *node, const char *key);
/* A saved value. After a restart as it was on the disk; `null` if a disk fault has damaged it; of length 0 if nothing was saved. */
sb_json sb_saved(const sb_node *node, const char *key);
/* Start an event, as the assignment requires; its fields follow. */
void sb_observe(sb_node *node, const char *event);
/* Set a metric, valid until it changes. */
void sb_show_int(sb_node *node, const char *metric, int64_t value);
void sb_show_text(sb_node *node, const char *metric, const char *value);
/* Write a line to the log, with virtual time, like printf. */
void sb_log(sb_node *node, const char *format, ...);
/* Crash the node with a message for the report. The operations of this step do not happen. Does not return. */
void sb_crash(sb_node *node, const char *format, ...);

/* Fields of what was started. `key` is NULL within an array, and for the value of sb_save. */
void sb_put_int(sb_node *node, const char *key, int64_t value);
void sb_put_uint(sb_node *node, const char *key, uint64_t value);
void sb_put_double(sb_node *node, const char *key, double value);
void sb_put_bool(sb_node *node, const char *key, int value);
void sb_put_null(sb_node *node, const char *key);
void sb_put_text(sb_node *node, const char *key, const char *value);
void sb_put_json(sb_node *node, const char *key, sb_json value);
void sb_begin_array(sb_node *node, const char *key);
void sb_begin_object(sb_node *node, const char *key);
/* End the innermost array or object. */
void sb_end(sb_node *node);

/* Streams: the number of a connection is returned immediately; on_connect or on_close follows. */
void sb_listen(sb_node *node, int port);
uint64_t sb_connect(sb_node *node, const char *dest, int port);
void sb_write(sb_node *node, uint64_t stream, const void *data, size_t length);
void sb_close(sb_node *node, uint64_t stream);
void sb_reset(sb_node *node, uint64_t stream);
/* Stop receiving for now, so that the peer has to wait once the receive window is full; receive again. */
void sb_pause_reading(sb_node *node, uint64_t stream);
void sb_resume_reading(sb_node *node, uint64_t stream);

/* Reading. For a missing value, or one of another kind, each returns nothing: length 0, the fallback, 0. */
sb_json sb_get(sb_json object, const char *key);
sb_json sb_at(sb_json array, size_t index);
/* The number of elements of an array, or of members of an object. */
size_t sb_count(sb_json container);
/* A member of an object by position, and its key, a text. */
sb_json sb_member(sb_json object, size_t index, sb_json *key);
int sb_exists(sb_json value);
int sb_is_null(sb_json value);
int64_t sb_int(sb_json value, int64_t fallback);
double sb_double(sb_json value, double fallback);
int sb_bool(sb_json value, int fallback);
/* Whether it equals this text. */
int sb_is(sb_json value, const char *text);
/* Copy a text in UTF-8 into `buffer` of `size` bytes, cut at a character boundary and terminated with NUL. Returns the length of the whole text. */
size_t sb_text(sb_json value, char *buffer, size_t size);

#endif

#ifdef SEEDBED_IMPLEMENTATION

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SB__LINE_MAX ((size_t)1 << 20)
#define SB__MESSAGE_MAX ((size_t)1 << 19)
#define SB__OPS_MAX 10000
#define SB__LOG_MAX ((size_t)1 << 17)
#define SB__DEPTH_MAX 128

typedef struct {
    char *at;
    size_t length, room;
} sb__buffer;

typedef struct {
    char *key, *value;
} sb__saved;

struct sb_node {
    char *name, *role;
    char **peers, **nodes;
    size_t peer_count, node_count;
    uint64_t now;
    int64_t wall;
    uint64_t random[4];
    uint64_t stream_next;
    sb__saved *saved;
    size_t saved_count;
    sb__buffer ops, log;
    size_t op_count;
    /* The open operation: its terminator, its start, and its open containers ('{', '[', or 'v' for one value). */
    const char *open_end;
    size_t value_at;
    char *save_key;
    int is_message;
    char containers[SB__DEPTH_MAX];
    size_t depth;
    int is_first;
};

/* Memory is bounded by the protocol; if it is still missing, the machine is to blame, and nothing can be reported. */
static void *sb__memory(void *memory) {
    if (memory == NULL) {
        fputs("seedbed.h: no memory\n", stderr);
        _exit(3);
    }
    return memory;
}

static void sb__append(sb__buffer *buffer, const char *text, size_t length) {
    if (buffer->room - buffer->length <= length) {
        buffer->room = (buffer->room + length + 64) * 2;
        buffer->at = (char *)sb__memory(realloc(buffer->at, buffer->room));
    }
    if (length > 0) memcpy(buffer->at + buffer->length, text, length);
    buffer->length += length;
    buffer->at[buffer->length] = '\0';
}

static void sb__add(sb__buffer *buffer, const char *text) { sb__append(buffer, text, strlen(text)); }

static void sb__add_unsigned(sb__buffer *buffer, uint64_t value) {
    char digits[32];
    snprintf(digits, sizeof digits, "%" PRIu64, value);
    sb__add(buffer, digits);
}

/* The length of the UTF-8 sequence at the start (RFC 3629); 0 if it is invalid. */
static size_t sb__sequence(const unsigned char *at, size_t left) {
    size_t length = at[0] < 0x80 ? 1 : at[0] >= 0xC2 && at[0] < 0xE0 ? 2 : at[0] >= 0xE0 && at[0] < 0xF0 ? 3 : at[0] >= 0xF0 && at[0] < 0xF5 ? 4 : 0;
    size_t i;
    if (length == 0 || length > left) return 0;
    for (i = 1; i < length; i++)
        if ((at[i] & 0xC0) != 0x80) return 0;
    if (length == 3 && ((at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xED && at[1] >= 0xA0))) return 0;
    if (length == 4 && ((at[0] == 0xF0 && at[1] < 0x90) || (at[0] == 0xF4 && at[1] >= 0x90))) return 0;
    return length;
}

static void sb__add_quoted(sb__buffer *buffer, const char *text, size_t length) {
    const unsigned char *at = (const unsigned char *)text;
    size_t done = 0;
    sb__add(buffer, "\"");
    while (done < length) {
        size_t sequence = sb__sequence(at + done, length - done);
        unsigned char c = at[done];
        if (sequence == 0) {
            sb__add(buffer, "\xEF\xBF\xBD");
            sequence = 1;
        } else if (c == '"' || c == '\\') {
            sb__add(buffer, "\\");
            sb__append(buffer, text + done, 1);
        } else if (c < 0x20) {
            char escape[8];
            snprintf(escape, sizeof escape, "\\u%04x", c);
            sb__add(buffer, escape);
        } else {
            sb__append(buffer, text + done, sequence);
        }
        done += sequence;
    }
    sb__add(buffer, "\"");
}

/* Reading ------------------------------------------------------------------------------------------------------------------------------ */

static const sb_json sb__nothing = {NULL, 0};

static const char *sb__blank(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
    return at;
}

static int sb__is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/* The end of the text that starts with a quotation mark at `at`; NULL if it is invalid. */
static const char *sb__skip_text(const char *at, const char *end) {
    for (at++; at < end; at++) {
        if (*at == '"') return at + 1;
        size_t sequence = sb__sequence((const unsigned char *)at, (size_t)(end - at));
        if (sequence == 0 || (unsigned char)*at < 0x20) return NULL;
        at += sequence - 1;
        if (*at != '\\') continue;
        if (++at == end || *at == '\0' || strchr("\"\\/bfnrtu", *at) == NULL) return NULL;
        if (*at == 'u') {
            if (end - at < 5 || !sb__is_hex(at[1]) || !sb__is_hex(at[2]) || !sb__is_hex(at[3]) || !sb__is_hex(at[4])) return NULL;
            at += 4;
        }
    }
    return NULL;
}

static const char *sb__skip_number(const char *at, const char *end) {
    const char *digits;
    if (at < end && *at == '-') at++;
    for (digits = at; at < end && *at >= '0' && *at <= '9'; at++) {}
    if (at == digits || (*digits == '0' && at - digits > 1)) return NULL;
    if (at < end && *at == '.') {
        for (digits = ++at; at < end && *at >= '0' && *at <= '9'; at++) {}
        if (at == digits) return NULL;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-')) at++;
        for (digits = at; at < end && *at >= '0' && *at <= '9'; at++) {}
        if (at == digits) return NULL;
    }
    return at;
}

/* The end of the value that starts at `at`; NULL if it is invalid or nested too deeply, which bounds the recursion. */
static const char *sb__skip(const char *at, const char *end, int depth) {
    static const char *const words[] = {"null", "true", "false"};
    size_t i;
    if (at >= end || depth > SB__DEPTH_MAX) return NULL;
    if (*at == '"') return sb__skip_text(at, end);
    if (*at == '{' || *at == '[') {
        char close = *at == '{' ? '}' : ']';
        at = sb__blank(at + 1, end);
        if (at < end && *at == close) return at + 1;
        for (;;) {
            if (close == '}') {
                if (at >= end || *at != '"') return NULL;
                at = sb__skip_text(at, end);
                if (at == NULL) return NULL;
                at = sb__blank(at, end);
                if (at >= end || *at != ':') return NULL;
                at = sb__blank(at + 1, end);
            }
            at = sb__skip(at, end, depth + 1);
            if (at == NULL) return NULL;
            at = sb__blank(at, end);
            if (at >= end) return NULL;
            if (*at == close) return at + 1;
            if (*at != ',') return NULL;
            at = sb__blank(at + 1, end);
        }
    }
    for (i = 0; i < 3; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(end - at) >= length && memcmp(at, words[i], length) == 0) return at + length;
    }
    return sb__skip_number(at, end);
}

static unsigned sb__hex(const char *at) {
    unsigned value = 0;
    int i;
    for (i = 0; i < 4; i++) value = value << 4 | (unsigned)(at[i] <= '9' ? at[i] - '0' : (at[i] | 0x20) - 'a' + 10);
    return value;
}

/* Decode the character at `*at` inside a validated text into at most four bytes; returns their number. */
static size_t sb__decode(const char **at, const char *end, unsigned char out[4]) {
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *known;
    unsigned code;
    if (**at != '\\') {
        size_t i, length = sb__sequence((const unsigned char *)*at, (size_t)(end - *at));
        if (length == 0) length = 1;
        for (i = 0; i < length; i++) out[i] = (unsigned char)(*at)[i];
        *at += length;
        return length;
    }
    (*at)++;
    if (**at != 'u') {
        known = strchr(from, **at);
        out[0] = (unsigned char)(known != NULL && *known != '\0' ? to[known - from] : **at);
        (*at)++;
        return 1;
    }
    code = sb__hex(*at + 1);
    *at += 5;
    if (code >= 0xD800 && code < 0xDC00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u') {
        unsigned low = sb__hex(*at + 2);
        if (low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            *at += 6;
        }
    }
    if (code >= 0xD800 && code < 0xE000) code = 0xFFFD;
    if (code < 0x80) {
        out[0] = (unsigned char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (unsigned char)(0xC0 | code >> 6);
        out[1] = (unsigned char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (unsigned char)(0xE0 | code >> 12);
        out[1] = (unsigned char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (unsigned char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (unsigned char)(0xF0 | code >> 18);
    out[1] = (unsigned char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (unsigned char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (unsigned char)(0x80 | (code & 0x3F));
    return 4;
}

int sb_exists(sb_json value) { return value.length > 0; }

int sb_is_null(sb_json value) { return value.length > 0 && value.at[0] == 'n'; }

int sb_is(sb_json value, const char *text) {
    const char *at, *end;
    if (value.length < 2 || value.at[0] != '"') return 0;
    at = value.at + 1;
    end = value.at + value.length - 1;
    while (at < end) {
        unsigned char bytes[4];
        size_t i, length = sb__decode(&at, end, bytes);
        for (i = 0; i < length; i++, text++)
            if (*text == '\0' || (unsigned char)*text != bytes[i]) return 0;
    }
    return *text == '\0';
}

size_t sb_text(sb_json value, char *buffer, size_t size) {
    const char *at, *end;
    size_t whole = 0, written = 0;
    int fits = 1;
    if (size > 0) buffer[0] = '\0';
    if (value.length < 2 || value.at[0] != '"') return 0;
    at = value.at + 1;
    end = value.at + value.length - 1;
    while (at < end) {
        unsigned char bytes[4];
        size_t length = sb__decode(&at, end, bytes);
        whole += length;
        fits = fits && size > 0 && whole < size;
        if (fits) {
            memcpy(buffer + written, bytes, length);
            written += length;
            buffer[written] = '\0';
        }
    }
    return whole;
}

/* The member of an object that starts at or after `*at`, which is advanced past it. */
static sb_json sb__next_member(const char **at, const char *end, sb_json *key) {
    sb_json value;
    *at = sb__blank(*at, end);
    if (*at >= end || **at != '"') return sb__nothing;
    key->at = *at;
    *at = sb__skip_text(*at, end);
    if (*at != NULL) {
        key->length = (size_t)(*at - key->at);
        value.at = *at = sb__blank(sb__blank(*at, end) + 1, end);
        *at = sb__skip(*at, end, 0);
    }
    if (*at == NULL) {
        *at = end;
        return sb__nothing;
    }
    value.length = (size_t)(*at - value.at);
    *at = sb__blank(*at, end);
    if (*at < end && **at == ',') (*at)++;
    return value;
}

sb_json sb_get(sb_json object, const char *key) {
    const char *at, *end;
    sb_json found = sb__nothing, value, name;
    if (object.length < 2 || object.at[0] != '{') return sb__nothing;
    at = object.at + 1;
    end = object.at + object.length;
    while (sb_exists(value = sb__next_member(&at, end, &name)))
        /* Of duplicate keys the last one counts, as elsewhere. */
        if (sb_is(name, key)) found = value;
    return found;
}

sb_json sb_member(sb_json object, size_t index, sb_json *key) {
    const char *at, *end;
    sb_json value;
    *key = sb__nothing;
    if (object.length < 2 || object.at[0] != '{') return sb__nothing;
    at = object.at + 1;
    end = object.at + object.length;
    do {
        value = sb__next_member(&at, end, key);
    } while (sb_exists(value) && index-- > 0);
    return value;
}

/* The element of an array that starts at or after `*at`, which is advanced past it. */
static sb_json sb__element(const char **at, const char *end) {
    sb_json element;
    *at = sb__blank(*at, end);
    if (*at >= end || **at == ']') return sb__nothing;
    element.at = *at;
    *at = sb__skip(*at, end, 0);
    if (*at == NULL) {
        *at = end;
        return sb__nothing;
    }
    element.length = (size_t)(*at - element.at);
    *at = sb__blank(*at, end);
    if (*at < end && **at == ',') (*at)++;
    return element;
}

sb_json sb_at(sb_json array, size_t index) {
    const char *at, *end;
    sb_json element;
    if (array.length < 2 || array.at[0] != '[') return sb__nothing;
    at = array.at + 1;
    end = array.at + array.length;
    do {
        element = sb__element(&at, end);
    } while (sb_exists(element) && index-- > 0);
    return element;
}

size_t sb_count(sb_json container) {
    const char *at, *end;
    sb_json key;
    size_t count = 0;
    if (container.length < 2) return 0;
    at = container.at + 1;
    end = container.at + container.length;
    if (container.at[0] == '[')
        while (sb_exists(sb__element(&at, end))) count++;
    if (container.at[0] == '{')
        while (sb_exists(sb__next_member(&at, end, &key))) count++;
    return count;
}

/* An unsigned integer; 0 if it is invalid or does not fit. */
static int sb__digits(const char *at, size_t length, uint64_t *value) {
    size_t i;
    *value = 0;
    if (length == 0) return 0;
    for (i = 0; i < length; i++) {
        unsigned digit = (unsigned)(at[i] - '0');
        if (digit > 9 || *value > (UINT64_MAX - digit) / 10) return 0;
        *value = *value * 10 + digit;
    }
    return 1;
}

int64_t sb_int(sb_json value, int64_t fallback) {
    uint64_t number;
    int is_negative = value.length > 0 && value.at[0] == '-';
    if (value.length == 0) return fallback;
    if (!sb__digits(value.at + is_negative, value.length - (size_t)is_negative, &number)) return fallback;
    if (!is_negative) return number <= INT64_MAX ? (int64_t)number : fallback;
    if (number > (uint64_t)INT64_MAX + 1) return fallback;
    return number == 0 ? 0 : -(int64_t)(number - 1) - 1;
}

static uint64_t sb__unsigned(sb_json value) {
    uint64_t number;
    return sb__digits(value.at, value.length, &number) ? number : 0;
}

double sb_double(sb_json value, double fallback) {
    char digits[64];
    if (value.length == 0 || value.length >= sizeof digits || (value.at[0] != '-' && (value.at[0] < '0' || value.at[0] > '9'))) return fallback;
    memcpy(digits, value.at, value.length);
    digits[value.length] = '\0';
    return strtod(digits, NULL);
}

int sb_bool(sb_json value, int fallback) { return value.length == 0 ? fallback : value.at[0] == 't' ? 1 : value.at[0] == 'f' ? 0 : fallback; }

static char *sb__copy(const char *text, size_t length) {
    char *copy = (char *)sb__memory(malloc(length + 1));
    if (length > 0) memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

static char *sb__copy_text(sb_json value) {
    size_t length = sb_text(value, NULL, 0);
    char *copy = (char *)sb__memory(malloc(length + 1));
    sb_text(value, copy, length + 1);
    return copy;
}

/* Answers ------------------------------------------------------------------------------------------------------------------------------ */

static void sb__write(const char *at, size_t length) {
    while (length > 0) {
        ssize_t written = write(4, at, length);
        /* The run is over. */
        if (written <= 0) _exit(0);
        at += written;
        length -= (size_t)written;
    }
}

static void sb__add_log(sb_node *node, sb__buffer *answer, int is_first) {
    if (node->log.length == 0) return;
    sb__add(answer, is_first ? "{\"op\":\"log\",\"text\":" : ",{\"op\":\"log\",\"text\":");
    sb__add_quoted(answer, node->log.at, node->log.length);
    sb__add(answer, "}");
    node->log.length = 0;
}

void sb_crash(sb_node *node, const char *format, ...) {
    char message[1000];
    sb__buffer answer = {NULL, 0, 0};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    sb__add(&answer, "{\"ops\":[");
    sb__add_log(node, &answer, 1);
    sb__add(&answer, "],\"exit\":1,\"error\":");
    sb__add_quoted(&answer, message, strlen(message));
    sb__add(&answer, "}\n");
    sb__write(answer.at, answer.length);
    _exit(1);
}

static void sb__check_name(sb_node *node, const char *what, const char *name) {
    size_t i, length = strlen(name);
    int good = length > 0 && length <= 64;
    for (i = 0; good && i < length; i++) {
        char c = name[i];
        good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr("_-.:/", c) != NULL;
    }
    if (!good) sb_crash(node, "`%.80s` is not a name for a %s: 1 to 64 letters, digits and _ - . : /", name, what);
}

static void sb__remember(sb_node *node, const char *key, char *value) {
    size_t i;
    for (i = 0; i < node->saved_count && strcmp(node->saved[i].key, key) != 0; i++) {}
    if (i == node->saved_count) {
        node->saved = (sb__saved *)sb__memory(realloc(node->saved, (i + 1) * sizeof *node->saved));
        node->saved[i].key = sb__copy(key, strlen(key));
        node->saved_count++;
    } else {
        free(node->saved[i].value);
    }
    node->saved[i].value = value;
}

/* End the open operation. */
static void sb__finish(sb_node *node) {
    if (node->open_end == NULL) return;
    while (node->depth > 1) sb_end(node);
    if (node->containers[0] == 'v' && node->is_first) sb_crash(node, "sb_save(\"%s\") without a value", node->save_key);
    if (node->containers[0] == '{') sb__add(&node->ops, "}");
    if (node->is_message && node->ops.length - node->value_at > SB__MESSAGE_MAX)
        sb_crash(node, "a message of %zu bytes; the maximum is %zu", node->ops.length - node->value_at, SB__MESSAGE_MAX);
    if (node->save_key != NULL) {
        size_t length = node->ops.length - node->value_at;
        /* `null` removes the value. */
        char *value = sb__copy(node->ops.at + node->value_at, length);
        if (strcmp(value, "null") == 0) value[0] = '\0';
        sb__remember(node, node->save_key, value);
        free(node->save_key);
        node->save_key = NULL;
    }
    sb__add(&node->ops, node->open_end);
    node->open_end = NULL;
    node->depth = 0;
}

/* Start an operation. */
static void sb__op(sb_node *node, const char *begin) {
    sb__finish(node);
    if (++node->op_count > SB__OPS_MAX) sb_crash(node, "one step asks for more than %d operations: is there an endless loop?", SB__OPS_MAX);
    if (node->ops.length > SB__LINE_MAX) sb_crash(node, "one step asks for more than %zu bytes", SB__LINE_MAX);
    if (node->op_count > 1) sb__add(&node->ops, ",");
    sb__add(&node->ops, "{\"op\":");
    sb__add(&node->ops, begin);
}

/* Leave it open for fields or a value. */
static void sb__open(sb_node *node, char container, const char *end, int is_message) {
    node->open_end = end;
    node->containers[0] = container;
    node->depth = 1;
    node->is_first = 1;
    node->is_message = is_message;
    node->value_at = node->ops.length;
    if (container == '{') sb__add(&node->ops, "{");
}

static void sb__add_dest(sb_node *node, const char *dest) {
    size_t i;
    for (i = 0; i < node->node_count; i++)
        if (strcmp(node->nodes[i], dest) == 0) break;
    if (i == node->node_count) sb_crash(node, "there is no node `%.80s`", dest);
    sb__add(&node->ops, ",\"dest\":");
    sb__add_quoted(&node->ops, dest, strlen(dest));
}

static void sb__add_name(sb_node *node, const char *what, const char *name) {
    sb__check_name(node, what, name);
    sb__add(&node->ops, ",\"name\":\"");
    sb__add(&node->ops, name);
    sb__add(&node->ops, "\"");
}

void sb_send(sb_node *node, const char *dest, const char *type) {
    sb__op(node, "\"send\"");
    sb__add_dest(node, dest);
    sb__check_name(node, "message type", type);
    sb__add(&node->ops, ",\"body\":");
    sb__open(node, '{', "}", 1);
    sb_put_text(node, "type", type);
}

void sb_send_json(sb_node *node, const char *dest, sb_json body) {
    if (!sb_exists(sb_get(body, "type"))) sb_crash(node, "a message is an object with a `type`");
    sb__op(node, "\"send\"");
    sb__add_dest(node, dest);
    sb__add(&node->ops, ",\"body\":");
    sb__append(&node->ops, body.at, body.length);
    sb__add(&node->ops, "}");
}

void sb_set_timer(sb_node *node, const char *name, uint64_t after_ns) {
    sb__op(node, "\"set_timer\"");
    sb__add_name(node, "timer", name);
    sb__add(&node->ops, ",\"after\":");
    sb__add_unsigned(&node->ops, after_ns);
    sb__add(&node->ops, "}");
}

void sb_cancel_timer(sb_node *node, const char *name) {
    sb__op(node, "\"cancel_timer\"");
    sb__add_name(node, "timer", name);
    sb__add(&node->ops, "}");
}

void sb_save(sb_node *node, const char *key) {
    sb__op(node, "\"save\",\"key\":\"");
    sb__check_name(node, "key", key);
    sb__add(&node->ops, key);
    sb__add(&node->ops, "\",\"value\":");
    sb__open(node, 'v', "}", 0);
    node->save_key = sb__copy(key, strlen(key));
}

sb_json sb_saved(const sb_node *node, const char *key) {
    size_t i;
    for (i = 0; i < node->saved_count; i++) {
        if (strcmp(node->saved[i].key, key) == 0) {
            sb_json value;
            value.at = node->saved[i].value;
            value.length = strlen(value.at);
            return value;
        }
    }
    return sb__nothing;
}

void sb_observe(sb_node *node, const char *event) {
    sb__op(node, "\"observe\"");
    sb__add_name(node, "event", event);
    sb__add(&node->ops, ",\"fields\":");
    sb__open(node, '{', "}", 0);
}

void sb_show_int(sb_node *node, const char *metric, int64_t value) {
    char digits[32];
    snprintf(digits, sizeof digits, "%" PRId64 "}", value);
    sb__op(node, "\"observe\"");
    sb__add_name(node, "metric", metric);
    sb__add(&node->ops, ",\"value\":");
    sb__add(&node->ops, digits);
}

void sb_show_text(sb_node *node, const char *metric, const char *value) {
    sb__op(node, "\"observe\"");
    sb__add_name(node, "metric", metric);
    sb__add(&node->ops, ",\"value\":");
    sb__add_quoted(&node->ops, value, strlen(value));
    sb__add(&node->ops, "}");
}

void sb_log(sb_node *node, const char *format, ...) {
    char line[4096];
    va_list arguments;
    if (node->log.length > SB__LOG_MAX) return;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (node->log.length > 0) sb__add(&node->log, "\n");
    sb__add(&node->log, line);
}

/* What precedes a value: a comma and the key. */
static void sb__key(sb_node *node, const char *key) {
    char container;
    if (node->open_end == NULL) sb_crash(node, "sb_put_... without sb_send, sb_observe or sb_save before it");
    container = node->containers[node->depth - 1];
    if (container == '{' && key == NULL) sb_crash(node, "a field without a key");
    if (container != '{' && key != NULL) sb_crash(node, "`%.80s`: an element of an array, and a saved value, has no key", key);
    if (container == 'v' && !node->is_first) sb_crash(node, "sb_save takes one value");
    if (!node->is_first) sb__add(&node->ops, ",");
    node->is_first = 0;
    if (key != NULL) {
        sb__add_quoted(&node->ops, key, strlen(key));
        sb__add(&node->ops, ":");
    }
    if (node->ops.length > SB__LINE_MAX) sb_crash(node, "one step asks for more than %zu bytes", SB__LINE_MAX);
}

void sb_put_int(sb_node *node, const char *key, int64_t value) {
    char digits[32];
    snprintf(digits, sizeof digits, "%" PRId64, value);
    sb__key(node, key);
    sb__add(&node->ops, digits);
}

void sb_put_uint(sb_node *node, const char *key, uint64_t value) {
    sb__key(node, key);
    sb__add_unsigned(&node->ops, value);
}

void sb_put_double(sb_node *node, const char *key, double value) {
    char digits[48];
    if (value - value != 0.0) sb_crash(node, "infinities and NaN cannot be written as JSON");
    snprintf(digits, sizeof digits, "%.17g", value);
    sb__key(node, key);
    sb__add(&node->ops, digits);
}

void sb_put_bool(sb_node *node, const char *key, int value) {
    sb__key(node, key);
    sb__add(&node->ops, value ? "true" : "false");
}

void sb_put_null(sb_node *node, const char *key) {
    sb__key(node, key);
    sb__add(&node->ops, "null");
}

void sb_put_text(sb_node *node, const char *key, const char *value) {
    sb__key(node, key);
    sb__add_quoted(&node->ops, value, strlen(value));
}

void sb_put_json(sb_node *node, const char *key, sb_json value) {
    sb__key(node, key);
    if (sb_exists(value)) {
        sb__append(&node->ops, value.at, value.length);
    } else {
        sb__add(&node->ops, "null");
    }
}

static void sb__begin(sb_node *node, const char *key, char container) {
    sb__key(node, key);
    if (node->depth == SB__DEPTH_MAX) sb_crash(node, "more than %d nested arrays and objects", SB__DEPTH_MAX);
    node->containers[node->depth++] = container;
    node->is_first = 1;
    sb__append(&node->ops, &container, 1);
}

void sb_begin_array(sb_node *node, const char *key) { sb__begin(node, key, '['); }

void sb_begin_object(sb_node *node, const char *key) { sb__begin(node, key, '{'); }

void sb_end(sb_node *node) {
    if (node->depth < 2) sb_crash(node, "sb_end without sb_begin_array or sb_begin_object before it");
    node->depth--;
    sb__add(&node->ops, node->containers[node->depth] == '{' ? "}" : "]");
    node->is_first = 0;
}

/* Streams ------------------------------------------------------------------------------------------------------------------------------ */

static const char sb__digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void sb__port(sb_node *node, int port) {
    if (port < 1 || port > 65535) sb_crash(node, "%d is not a port: a whole number from 1 to 65535", port);
    sb__add(&node->ops, ",\"port\":");
    sb__add_unsigned(&node->ops, (uint64_t)port);
    sb__add(&node->ops, "}");
}

static void sb__stream_op(sb_node *node, const char *op, uint64_t stream) {
    sb__op(node, op);
    sb__add(&node->ops, ",\"stream\":");
    sb__add_unsigned(&node->ops, stream);
}

void sb_listen(sb_node *node, int port) {
    sb__op(node, "\"listen\"");
    sb__port(node, port);
}

uint64_t sb_connect(sb_node *node, const char *dest, int port) {
    uint64_t stream = node->stream_next++;
    sb__stream_op(node, "\"connect\"", stream);
    sb__add_dest(node, dest);
    sb__port(node, port);
    return stream;
}

void sb_write(sb_node *node, uint64_t stream, const void *data, size_t length) {
    const unsigned char *at = (const unsigned char *)data;
    size_t i, k;
    if (length > SB__LINE_MAX / 2) sb_crash(node, "%zu bytes in one write, and at most %zu can be", length, SB__LINE_MAX / 2);
    sb__stream_op(node, "\"write\"", stream);
    sb__add(&node->ops, ",\"base64\":\"");
    for (i = 0; i < length; i += 3) {
        size_t left = length - i < 3 ? length - i : 3;
        uint32_t bits = (uint32_t)at[i] << 16 | (left > 1 ? (uint32_t)at[i + 1] << 8 : 0) | (left > 2 ? at[i + 2] : 0);
        char group[4];
        for (k = 0; k < 4; k++) group[k] = k <= left ? sb__digits64[bits >> (18 - 6 * k) & 63] : '=';
        sb__append(&node->ops, group, 4);
    }
    sb__add(&node->ops, "\"}");
}

void sb_close(sb_node *node, uint64_t stream) {
    sb__stream_op(node, "\"close\"", stream);
    sb__add(&node->ops, "}");
}

void sb_reset(sb_node *node, uint64_t stream) {
    sb__stream_op(node, "\"reset\"", stream);
    sb__add(&node->ops, "}");
}

void sb_pause_reading(sb_node *node, uint64_t stream) {
    sb__stream_op(node, "\"pause_reading\"", stream);
    sb__add(&node->ops, "}");
}

void sb_resume_reading(sb_node *node, uint64_t stream) {
    sb__stream_op(node, "\"resume_reading\"", stream);
    sb__add(&node->ops, "}");
}

/* Decode a base64 text into bytes, at most as many as its digits; returns their number. */
static size_t sb__from_base64(sb_json text, unsigned char *out) {
    uint32_t bits = 0;
    size_t i, count = 0, digits = 0;
    for (i = 1; i + 1 < text.length; i++) {
        const char *digit = text.at[i] == '\0' ? NULL : strchr(sb__digits64, text.at[i]);
        if (digit == NULL) {
            /* A slash may be written as an escape. */
            if (text.at[i] == '\\') continue;
            break;
        }
        bits = (bits << 6 | (uint32_t)(digit - sb__digits64)) & 0xFFFFFF;
        if (++digits % 4 == 0) {
            out[count++] = (unsigned char)(bits >> 16);
            out[count++] = (unsigned char)(bits >> 8 & 0xFF);
            out[count++] = (unsigned char)(bits & 0xFF);
        }
    }
    if (digits % 4 == 2) out[count++] = (unsigned char)(bits >> 4 & 0xFF);
    if (digits % 4 == 3) {
        out[count++] = (unsigned char)(bits >> 10 & 0xFF);
        out[count++] = (unsigned char)(bits >> 2 & 0xFF);
    }
    return count;
}

/* The node's place ------------------------------------------------------------------------------------------------------------------- */

const char *sb_name(const sb_node *node) { return node->name; }
const char *sb_role(const sb_node *node) { return node->role; }
size_t sb_peer_count(const sb_node *node) { return node->peer_count; }
const char *sb_peer(const sb_node *node, size_t index) { return index < node->peer_count ? node->peers[index] : ""; }
size_t sb_node_count(const sb_node *node) { return node->node_count; }
const char *sb_node_name(const sb_node *node, size_t index) { return index < node->node_count ? node->nodes[index] : ""; }
uint64_t sb_now(const sb_node *node) { return node->now; }
int64_t sb_wall(const sb_node *node) { return node->wall; }

/* xoshiro256** (Blackman and Vigna, 2018), seeded by SplitMix64: the numbers of the Rust SDK. */
uint64_t sb_random(sb_node *node) {
    uint64_t *s = node->random;
    uint64_t product = s[1] * 5, result = (product << 7 | product >> 57) * 9, shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = s[3] << 45 | s[3] >> 19;
    return result;
}

uint64_t sb_random_below(sb_node *node, uint64_t end) {
    uint64_t drawn, excess;
    if (end == 0) sb_crash(node, "sb_random_below(0) has no number to draw");
    /* Reject this many of the greatest numbers, which would make small results more frequent. */
    excess = (UINT64_MAX % end + 1) % end;
    do {
        drawn = sb_random(node);
    } while (drawn > UINT64_MAX - excess);
    return drawn % end;
}

static char **sb__names(sb_json array, size_t *count) {
    size_t i;
    char **names;
    *count = sb_count(array);
    names = (char **)sb__memory(malloc((*count + 1) * sizeof *names));
    for (i = 0; i < *count; i++) names[i] = sb__copy_text(sb_at(array, i));
    return names;
}

static void sb__start(sb_node *node, sb_json event) {
    char seed[32];
    uint64_t state;
    sb_json saved = sb_get(event, "saved");
    int i;
    if (sb_int(sb_get(event, "protocol"), 0) != 1) sb_crash(node, "this seedbed.h speaks version 1 of the protocol");
    node->name = sb__copy_text(sb_get(event, "node"));
    node->role = sb__copy_text(sb_get(event, "role"));
    node->peers = sb__names(sb_get(event, "peers"), &node->peer_count);
    node->nodes = sb__names(sb_get(event, "nodes"), &node->node_count);
    sb_text(sb_get(event, "seed"), seed, sizeof seed);
    state = strtoull(seed, NULL, 16);
    for (i = 0; i < 4; i++) {
        uint64_t mixed = state += UINT64_C(0x9E3779B97F4A7C15);
        mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
        node->random[i] = mixed ^ mixed >> 31;
    }
    node->stream_next = 1;
    if (saved.length > 2) {
        const char *at = saved.at + 1;
        sb_json key, value;
        while (sb_exists(value = sb__next_member(&at, saved.at + saved.length, &key))) {
            char *name = sb__copy_text(key);
            sb__remember(node, name, sb__copy(value.at, value.length));
            free(name);
        }
    }
}

/* The run ------------------------------------------------------------------------------------------------------------------------------ */

static void sb__closed(sb_node *node, const sb_handlers *handlers, void *state, uint64_t stream, const char *reason) {
    if (handlers->on_close != NULL) {
        handlers->on_close(node, state, stream, reason);
    } else if (strcmp(reason, "closed") == 0) {
        sb_close(node, stream);
    }
}

static void sb__handle(sb_node *node, const sb_handlers *handlers, void *state, sb_json event) {
    sb_json kind = sb_get(event, "type");
    uint64_t stream = sb__unsigned(sb_get(event, "stream"));
    char *text = NULL;
    if (sb_is(kind, "message")) {
        text = sb__copy_text(sb_get(event, "src"));
        if (handlers->on_message != NULL) handlers->on_message(node, state, text, sb_get(event, "body"));
    } else if (sb_is(kind, "timer")) {
        text = sb__copy_text(sb_get(event, "name"));
        if (handlers->on_timer != NULL) handlers->on_timer(node, state, text);
    } else if (sb_is(kind, "init") || (sb_is(kind, "restart") && handlers->on_restart == NULL)) {
        if (handlers->on_init != NULL) handlers->on_init(node, state);
    } else if (sb_is(kind, "restart")) {
        handlers->on_restart(node, state);
    } else if (sb_is(kind, "command")) {
        text = sb__copy_text(sb_get(event, "command"));
        if (handlers->on_command != NULL) handlers->on_command(node, state, text);
    } else if (sb_is(kind, "stop")) {
        if (handlers->on_stop != NULL) handlers->on_stop(node, state);
    } else if (sb_is(kind, "accepted")) {
        text = sb__copy_text(sb_get(event, "src"));
        if (handlers->on_accept != NULL) handlers->on_accept(node, state, stream, text, (int)sb_int(sb_get(event, "port"), 0));
    } else if (sb_is(kind, "connected")) {
        if (handlers->on_connect != NULL) handlers->on_connect(node, state, stream);
    } else if (sb_is(kind, "data")) {
        sb_json base64 = sb_get(event, "base64");
        unsigned char *data = (unsigned char *)sb__memory(malloc(base64.length + 1));
        size_t length = sb__from_base64(base64, data);
        if (handlers->on_data != NULL) handlers->on_data(node, state, stream, data, length);
        free(data);
    } else if (sb_is(kind, "writable")) {
        if (handlers->on_writable != NULL) handlers->on_writable(node, state, stream);
    } else if (sb_is(kind, "peer_closed")) {
        sb__closed(node, handlers, state, stream, "closed");
    } else if (sb_is(kind, "refused")) {
        sb__closed(node, handlers, state, stream, "refused");
    } else if (sb_is(kind, "reset")) {
        sb__closed(node, handlers, state, stream, "reset");
    } else if (sb_is(kind, "timed_out")) {
        sb__closed(node, handlers, state, stream, "timed_out");
    }
    free(text);
}

/* Read up to the next line feed; returns its position, or 0 when the run is over. What follows stays for the next call. */
static size_t sb__read_line(sb__buffer *input, size_t *taken) {
    size_t searched = 0;
    if (*taken > 0) {
        memmove(input->at, input->at + *taken, input->length - *taken);
        input->length -= *taken;
        *taken = 0;
    }
    for (;;) {
        char piece[16384];
        ssize_t count;
        char *end = input->length > searched ? (char *)memchr(input->at + searched, '\n', input->length - searched) : NULL;
        if (end != NULL) {
            *taken = (size_t)(end - input->at) + 1;
            return *taken;
        }
        searched = input->length;
        if (searched > 16 * SB__LINE_MAX) return 0;
        count = read(3, piece, sizeof piece);
        if (count <= 0) return 0;
        sb__append(input, piece, (size_t)count);
    }
}

int sb_run(const sb_handlers *handlers, void *state) {
    sb_node *node = (sb_node *)sb__memory(calloc(1, sizeof *node));
    sb__buffer input = {NULL, 0, 0}, answer = {NULL, 0, 0};
    size_t taken = 0, length, i;
    int has_started = 0;
    char probe;
    if (read(3, &probe, 0) < 0) {
        fputs("This is a node for seedbed, which starts it: seedbed run SCENARIO --node-command PROGRAM\n", stderr);
        free(node);
        return 2;
    }
    while ((length = sb__read_line(&input, &taken)) > 0) {
        sb_json turn, events, event;
        const char *end, *at = sb__blank(input.at, input.at + length);
        turn.at = at;
        end = sb__skip(at, input.at + length, 0);
        if (end == NULL) sb_crash(node, "cannot interpret the testbed's turn: %.200s", input.at);
        turn.length = (size_t)(end - at);
        node->now = sb__unsigned(sb_get(turn, "now"));
        node->wall = sb_int(sb_get(turn, "wall"), 0);
        events = sb_get(turn, "ev");
        if (events.length < 2 || events.at[0] != '[') sb_crash(node, "the testbed's turn has no events");
        for (at = events.at + 1; sb_exists(event = sb__element(&at, events.at + events.length));) {
            if (!has_started) sb__start(node, event);
            has_started = 1;
            sb__handle(node, handlers, state, event);
        }
        sb__finish(node);
        answer.length = 0;
        sb__add(&answer, "{\"ops\":[");
        if (node->ops.length > 0) sb__append(&answer, node->ops.at, node->ops.length);
        sb__add_log(node, &answer, node->op_count == 0);
        sb__add(&answer, "]}\n");
        if (answer.length > SB__LINE_MAX) sb_crash(node, "one step asks for %zu bytes in total; the maximum is %zu", answer.length, SB__LINE_MAX);
        sb__write(answer.at, answer.length);
        node->ops.length = 0;
        node->op_count = 0;
    }
    for (i = 0; i < node->peer_count; i++) free(node->peers[i]);
    for (i = 0; i < node->node_count; i++) free(node->nodes[i]);
    for (i = 0; i < node->saved_count; i++) {
        free(node->saved[i].key);
        free(node->saved[i].value);
    }
    free(node->peers);
    free(node->nodes);
    free(node->saved);
    free(node->name);
    free(node->role);
    free(node->ops.at);
    free(node->log.at);
    free(node);
    free(input.at);
    free(answer.at);
    return 0;
}

#endif

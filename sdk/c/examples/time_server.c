/* A time server for the system `cristian`: it follows the UTC source by Cristian's algorithm, and tells the hour with a bound for its error.
 *
 * Cristian, "Probabilistic clock synchronization", 1989: who asks at `begin` and is answered at `end` with `utc` knows that it is now between `utc`
 * and `utc + (end - begin)`; the middle is wrong by half of the round trip at most.
 *
 *     cc -std=c99 -O2 -I sdk/c sdk/c/examples/time_server.c -o time_server
 */
#define SEEDBED_IMPLEMENTATION
#include "seedbed.h"

#include <stdio.h>
#include <string.h>

#define INTERVAL (2 * SB_S)
#define PATIENCE (300 * SB_MS)
/* Of this many round trips the shortest counts, because its half is the bound. */
#define TRIES 3
/* A clock may drift by so much. */
#define DRIFT_PPM 200

/* What is known of UTC, in ns: UTC minus the monotonic clock, by how much that may be wrong, and when it was found out. */
typedef struct {
    int64_t offset, error, since;
    int is_known;
} knowledge;

typedef struct {
    knowledge known, best;
    int64_t asked, begin, round;
    int tries;
} server;

static int64_t now(const sb_node *node) { return (int64_t)sb_now(node); }

static void ask(sb_node *node, server *self) {
    self->tries++;
    self->asked = (int64_t)(sb_random(node) >> 1);
    self->begin = now(node);
    sb_send(node, "utc", "UtcRequest");
    sb_put_int(node, "nonce", self->asked);
    sb_set_timer(node, "silent", PATIENCE);
}

/* After each try: another one, or a round. */
static void go_on(sb_node *node, server *self) {
    size_t i;
    if (self->tries < TRIES) {
        ask(node, self);
        return;
    }
    self->tries = 0;
    if (self->best.is_known) self->known = self->best;
    self->best.is_known = 0;
    if (self->known.is_known) {
        self->round++;
        sb_save(node, "round");
        sb_put_int(node, NULL, self->round);
        for (i = 0; i < sb_node_count(node); i++) {
            const char *name = sb_node_name(node, i);
            if (name[0] != 's') continue;
            sb_send(node, name, "Synchronise");
            sb_put_int(node, "round", self->round);
        }
    }
    sb_set_timer(node, "interval", INTERVAL);
}

static void on_init(sb_node *node, void *state) {
    server *self = state;
    self->round = sb_int(sb_saved(node, "round"), 0);
    ask(node, self);
}

static void on_timer(sb_node *node, void *state, const char *name) {
    if (strcmp(name, "silent") == 0) {
        go_on(node, state);
    } else {
        ask(node, state);
    }
}

static void on_message(sb_node *node, void *state, const char *src, sb_json message) {
    server *self = state;
    sb_json kind = sb_get(message, "type"), nonce = sb_get(message, "nonce");
    int64_t end = now(node);
    if (sb_is(kind, "UtcResponse") && self->asked != 0 && sb_int(nonce, 0) == self->asked) {
        int64_t trip = end - self->begin;
        self->asked = 0;
        if (!self->best.is_known || trip / 2 + 1 < self->best.error) {
            self->best.offset = sb_int(sb_get(message, "utc"), 0) + trip / 2 - end;
            self->best.error = trip / 2 + 1;
            self->best.since = end;
            self->best.is_known = 1;
        }
        sb_cancel_timer(node, "silent");
        go_on(node, self);
    } else if (sb_is(kind, "TimeRequest") && self->known.is_known) {
        /* Who is told nothing asks again. */
        int64_t hour = end + self->known.offset;
        sb_send(node, src, "TimeResponse");
        sb_put_json(node, "nonce", nonce);
        sb_put_int(node, "received", hour);
        sb_put_int(node, "sent", hour);
        sb_put_int(node, "error_bound", self->known.error + (end - self->known.since) / 1000000 * DRIFT_PPM + DRIFT_PPM);
    } else if (sb_is(kind, "RoundReport")) {
        sb_json record = sb_get(message, "record");
        char key[64];
        snprintf(key, sizeof key, "record/%.40s", src);
        sb_save(node, key);
        sb_put_json(node, NULL, record);
        sb_send(node, src, "RoundReportAck");
        sb_put_json(node, "round", sb_get(record, "round"));
    }
}

int main(void) {
    static server self;
    sb_handlers handlers = {0};
    handlers.on_init = on_init;
    handlers.on_timer = on_timer;
    handlers.on_message = on_message;
    return sb_run(&handlers, &self);
}

/* A store on one server: n1 serves, and the others send clients to it.
 *
 * Not replicated, so it is as good as its disk: it saves each change before it answers, and remembers each client's last answer, so that a
 * request that is sent again takes effect once.
 *
 *     cc -std=c99 -O2 -I sdk/c sdk/c/examples/kv_single.c -o kv_single
 */
#define SEEDBED_IMPLEMENTATION
#include "seedbed.h"

#include <stdlib.h>
#include <string.h>

#define SERVER "n1"

/* The value of a key, or a client's last answer: a text, or a number for open_session. */
typedef struct {
    char *key, *value;
    int64_t serial;
} entry;

typedef struct {
    entry *entries;
    size_t count;
} table;

typedef struct {
    table store, answers;
} server;

static char *copy(const char *text) {
    char *made = malloc(strlen(text) + 1);
    if (made == NULL) abort();
    return strcpy(made, text);
}

/* The text of a field in newly allocated memory; empty if there is none. */
static char *text_of(sb_json message, const char *key) {
    sb_json value = sb_get(message, key);
    size_t size = sb_text(value, NULL, 0) + 1;
    char *text = malloc(size);
    if (text == NULL) abort();
    sb_text(value, text, size);
    return text;
}

static entry *find(table *of, const char *key) {
    size_t i;
    for (i = 0; i < of->count; i++)
        if (strcmp(of->entries[i].key, key) == 0) return &of->entries[i];
    return NULL;
}

static void put(table *of, const char *key, const char *value, int64_t serial) {
    entry *found = find(of, key);
    if (found == NULL) {
        of->entries = realloc(of->entries, (of->count + 1) * sizeof *of->entries);
        if (of->entries == NULL) abort();
        found = &of->entries[of->count++];
        found->key = copy(key);
    } else {
        free(found->value);
    }
    found->value = copy(value);
    found->serial = serial;
}

static void save(sb_node *node, const char *name, const table *of) {
    size_t i;
    sb_save(node, name);
    sb_begin_object(node, NULL);
    for (i = 0; i < of->count; i++) {
        sb_begin_array(node, of->entries[i].key);
        sb_put_text(node, NULL, of->entries[i].value);
        sb_put_int(node, NULL, of->entries[i].serial);
        sb_end(node);
    }
    sb_end(node);
}

static void load(sb_node *node, const char *name, table *of) {
    sb_json saved = sb_saved(node, name), key, value;
    size_t i, count = sb_count(saved);
    for (i = 0; i < count; i++) {
        char text[65536], named[256];
        value = sb_member(saved, i, &key);
        sb_text(key, named, sizeof named);
        sb_text(sb_at(value, 0), text, sizeof text);
        put(of, named, text, sb_int(sb_at(value, 1), 0));
    }
}

static void on_init(sb_node *node, void *state) {
    server *self = state;
    /* Nothing is saved at the first start. */
    load(node, "store", &self->store);
    load(node, "answers", &self->answers);
    sb_show_text(node, "role", strcmp(sb_name(node), SERVER) == 0 ? "leader" : "follower");
}

/* Execute a request and return the answer, or NULL for a session number. */
static char *execute(server *self, sb_json request) {
    sb_json op = sb_get(request, "op");
    char *key, *value, *expected, *joined, *answer = NULL;
    const char *present;
    entry *found;
    if (sb_is(op, "open_session")) return NULL;
    key = text_of(request, "key");
    value = text_of(request, "value");
    expected = text_of(request, "expected");
    found = find(&self->store, key);
    present = found == NULL ? "nil" : found->value;
    if (sb_is(op, "read")) {
        answer = copy(present);
    } else if (sb_is(op, "cas") && strcmp(present, expected) != 0) {
        answer = copy("mismatch");
    } else if (sb_is(op, "append") && strcmp(present, "nil") != 0) {
        joined = malloc(strlen(present) + strlen(value) + 2);
        if (joined == NULL) abort();
        strcpy(joined, present);
        strcat(joined, ",");
        strcat(joined, value);
        put(&self->store, key, joined, 0);
        free(joined);
    } else {
        put(&self->store, key, value, 0);
    }
    free(key);
    free(value);
    free(expected);
    return answer == NULL ? copy("ok") : answer;
}

static void on_message(sb_node *node, void *state, const char *src, sb_json message) {
    server *self = state;
    int64_t serial = sb_int(sb_get(message, "serial"), 0);
    entry *last;
    if (!sb_is(sb_get(message, "type"), "ClientRequest")) return;
    if (strcmp(sb_name(node), SERVER) != 0) {
        sb_send(node, src, "ClientReply");
        sb_put_int(node, "serial", serial);
        sb_put_text(node, "not_leader", SERVER);
        return;
    }
    last = find(&self->answers, src);
    if (last == NULL || last->serial < serial) {
        char *answer = execute(self, message);
        put(&self->answers, src, answer == NULL ? "" : answer, serial);
        free(answer);
        save(node, "store", &self->store);
        save(node, "answers", &self->answers);
        last = find(&self->answers, src);
    }
    if (last->serial == serial) {
        sb_send(node, src, "ClientReply");
        sb_put_int(node, "serial", serial);
        if (last->value[0] == '\0') {
            sb_put_int(node, "value", serial);
        } else {
            sb_put_text(node, "value", last->value);
        }
    }
}

static void forget(table *of) {
    size_t i;
    for (i = 0; i < of->count; i++) {
        free(of->entries[i].key);
        free(of->entries[i].value);
    }
    free(of->entries);
}

int main(void) {
    static server self;
    sb_handlers handlers = {0};
    int status;
    handlers.on_init = on_init;
    handlers.on_message = on_message;
    status = sb_run(&handlers, &self);
    forget(&self.store);
    forget(&self.answers);
    return status;
}

/* The conformance node of PROTOCOL.md:
 *
 *     cc -std=c99 -Wall -Wextra -I sdk/c sdk/c/examples/conformance.c -o conformance && seedbed conform -- ./conformance
 */
#define SEEDBED_IMPLEMENTATION
#include "seedbed.h"

#include <stdio.h>
#include <stdlib.h>

/* A text of a message of any length, in newly allocated memory. */
static char *text_of(sb_json message, const char *key) {
    sb_json value = sb_get(message, key);
    size_t size = sb_text(value, NULL, 0) + 1;
    char *text = malloc(size);
    if (text == NULL) abort();
    sb_text(value, text, size);
    return text;
}

static void on_restart(sb_node *node, void *state) {
    (void)state;
    sb_send(node, sb_peer(node, 0), "Restarted");
}

static void on_timer(sb_node *node, void *state, const char *name) {
    (void)state;
    sb_send(node, sb_peer(node, 0), "Timer");
    sb_put_text(node, "name", name);
}

static void on_command(sb_node *node, void *state, const char *command) {
    (void)state;
    sb_send(node, sb_peer(node, 0), "Command");
    sb_put_text(node, "command", command);
}

static void on_stop(sb_node *node, void *state) {
    (void)state;
    sb_send(node, sb_peer(node, 0), "Stopped");
}

static void on_data(sb_node *node, void *state, uint64_t stream, const unsigned char *data, size_t length) {
    (void)state;
    sb_write(node, stream, data, length);
}

/* The events of the script have these fields. */
static void observe(sb_node *node, const char *event, sb_json fields) {
    static const char *const names[] = {"term", "who", "is", "a", "b"};
    size_t i;
    sb_observe(node, event);
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        sb_json value = sb_get(fields, names[i]);
        if (sb_exists(value)) sb_put_json(node, names[i], value);
    }
}

static void on_message(sb_node *node, void *state, const char *src, sb_json message) {
    sb_json kind = sb_get(message, "type");
    char *text = text_of(message, "text"), *name = text_of(message, "name"), *key = text_of(message, "key");
    (void)state;
    if (sb_is(kind, "Echo")) {
        sb_send_json(node, src, message);
    } else if (sb_is(kind, "Timer")) {
        sb_set_timer(node, name, (uint64_t)sb_int(sb_get(message, "after"), 0));
    } else if (sb_is(kind, "Cancel")) {
        sb_cancel_timer(node, name);
    } else if (sb_is(kind, "Save")) {
        sb_save(node, key);
        sb_put_json(node, NULL, sb_get(message, "value"));
        sb_send(node, src, "Saved");
        sb_put_text(node, "key", key);
    } else if (sb_is(kind, "Load")) {
        sb_send(node, src, "Loaded");
        sb_put_text(node, "key", key);
        sb_put_json(node, "value", sb_saved(node, key));
    } else if (sb_is(kind, "Broadcast")) {
        size_t i;
        for (i = 0; i < sb_peer_count(node); i++) {
            sb_send(node, sb_peer(node, i), "Hello");
            sb_put_text(node, "text", text);
        }
    } else if (sb_is(kind, "Observe")) {
        char *event = text_of(message, "event");
        observe(node, event, sb_get(message, "fields"));
        free(event);
    } else if (sb_is(kind, "Show")) {
        char *metric = text_of(message, "metric"), *value = text_of(message, "value");
        sb_show_text(node, metric, value);
        free(metric);
        free(value);
    } else if (sb_is(kind, "Draw")) {
        sb_send(node, src, "Drawn");
        sb_put_uint(node, "number", sb_random(node) >> 32);
    } else if (sb_is(kind, "Now")) {
        sb_send(node, src, "Now");
        sb_put_uint(node, "now", sb_now(node));
        sb_put_int(node, "wall", sb_wall(node));
    } else if (sb_is(kind, "Print")) {
        fputs(text, stdout);
        sb_send(node, src, "Printed");
    } else if (sb_is(kind, "Crash")) {
        sb_crash(node, "%s", text);
    } else if (sb_is(kind, "Listen")) {
        sb_listen(node, (int)sb_int(sb_get(message, "port"), 0));
    } else if (sb_is(kind, "Connect")) {
        char *dest = text_of(message, "dest");
        uint64_t stream = sb_connect(node, dest, (int)sb_int(sb_get(message, "port"), 0));
        sb_write(node, stream, text, strlen(text));
        free(dest);
    }
    free(text);
    free(name);
    free(key);
}

int main(void) {
    sb_handlers handlers = {0};
    handlers.on_restart = on_restart;
    handlers.on_message = on_message;
    handlers.on_timer = on_timer;
    handlers.on_command = on_command;
    handlers.on_stop = on_stop;
    handlers.on_data = on_data;
    return sb_run(&handlers, NULL);
}

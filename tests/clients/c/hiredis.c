/* hiredis: blocking contexts, redisAppendCommand for pipelines, redisReconnect. It has neither
 * logins nor scripts of its own: AUTH, EVALSHA and EVAL are sent as commands. */
#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *SCRIPT = "return tile38.call('GET', KEYS[1], ARGV[1], 'POINT')";

static void fail(const char *reason) {
    fprintf(stderr, "%s\n", reason);
    exit(1);
}

static void ok(const char *step) {
    printf("ok %s\n", step);
    fflush(stdout);
}

static redisReply *checked(redisContext *context, redisReply *reply) {
    if (reply == NULL) fail(context->errstr);
    if (reply->type == REDIS_REPLY_ERROR) fail(reply->str);
    return reply;
}

static redisReply *call(redisContext *context, const char *format, ...) {
    va_list words;
    va_start(words, format);
    redisReply *reply = redisvCommand(context, format, words);
    va_end(words);
    return checked(context, reply);
}

static redisReply *next_reply(redisContext *context) {
    redisReply *reply = NULL;
    if (redisGetReply(context, (void **)&reply) != REDIS_OK) fail(context->errstr);
    return checked(context, reply);
}

static void expect_text(redisReply *reply, const char *expected) {
    if (reply->str == NULL || strcmp(reply->str, expected) != 0) fail(expected);
}

static void expect_number(redisReply *reply, long long expected) {
    if (reply->type != REDIS_REPLY_INTEGER || reply->integer != expected) fail("a wrong number");
}

/* Expects an array of texts and frees it. */
static void expect_texts(redisReply *reply, size_t count, const char *const *expected) {
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != count) fail("a wrong array");
    for (size_t i = 0; i < count; i++) expect_text(reply->element[i], expected[i]);
    freeReplyObject(reply);
}

static void log_in(redisContext *context) {
    const char *user = getenv("TILE38_USER"), *password = getenv("TILE38_PASSWORD");
    if (context == NULL || context->err) fail(context ? context->errstr : "no memory");
    if (password == NULL) return;
    freeReplyObject(user ? call(context, "AUTH %s %s", user, password) : call(context, "AUTH %s", password));
}

static redisContext *connect_and_log_in(void) {
    redisContext *context = redisConnect(getenv("TILE38_HOST"), atoi(getenv("TILE38_PORT")));
    log_in(context);
    return context;
}

static void expect_bus(redisContext *context) {
    expect_texts(call(context, "GET fleet bus POINT"), 2, (const char *[]){"1", "2"});
}

static void store_and_search(redisContext *context) {
    redisReply *reply = call(context, "SET fleet truck POINT 33.5 -112.2");
    expect_text(reply, "OK");
    freeReplyObject(reply);
    expect_texts(call(context, "GET fleet truck POINT"), 2, (const char *[]){"33.5", "-112.2"});
    ok("set");
    reply = call(context, "NEARBY fleet LIMIT %d IDS POINT 33.5 -112", 5);
    if (reply->elements != 2 || reply->element[1]->elements != 1) fail("a wrong array");
    expect_text(reply->element[1]->element[0], "truck");
    freeReplyObject(reply);
    ok("nearby");
    for (int i = 0; i < 100; i++) redisAppendCommand(context, "SET many %d POINT %d 2", i, i % 90);
    for (int i = 0; i < 100; i++) {
        reply = next_reply(context);
        expect_text(reply, "OK");
        freeReplyObject(reply);
    }
    ok("pipeline");
    freeReplyObject(call(context, "MULTI"));
    freeReplyObject(call(context, "SET fleet bus POINT 1 2"));
    freeReplyObject(call(context, "SCAN fleet COUNT"));
    reply = call(context, "EXEC");
    if (reply->elements != 2) fail("a wrong array");
    expect_text(reply->element[0], "OK");
    expect_number(reply->element[1], 2);
    freeReplyObject(reply);
    ok("transaction");
}

static void run_script(redisContext *context) {
    const char *unknown = "ffffffffffffffffffffffffffffffffffffffff";
    redisReply *reply = redisCommand(context, "EVALSHA %s 1 fleet bus", unknown);
    if (reply == NULL || reply->type != REDIS_REPLY_ERROR || strncmp(reply->str, "NOSCRIPT", 8) != 0)
        fail("EVALSHA of an unknown script");
    freeReplyObject(reply);
    expect_texts(call(context, "EVAL %s 1 fleet bus", SCRIPT), 2, (const char *[]){"1", "2"});
    reply = call(context, "SCRIPT LOAD %s", SCRIPT);
    expect_texts(call(context, "EVALSHA %s 1 fleet bus", reply->str), 2, (const char *[]){"1", "2"});
    freeReplyObject(reply);
    ok("script");
}

static void subscribe(redisContext *context) {
    redisContext *subscribers[] = {connect_and_log_in(), connect_and_log_in()};
    for (int i = 0; i < 2; i++) {
        freeReplyObject(call(subscribers[i], "SUBSCRIBE news"));
        expect_texts(call(subscribers[i], "PING there"), 2, (const char *[]){"pong", "there"});
    }
    redisReply *reply = call(context, "PUBLISH news hello");
    expect_number(reply, 2);
    freeReplyObject(reply);
    for (int i = 0; i < 2; i++)
        expect_texts(next_reply(subscribers[i]), 3, (const char *[]){"message", "news", "hello"});
    ok("subscribe");
    for (int i = 0; i < 2; i++) {
        freeReplyObject(call(subscribers[i], "UNSUBSCRIBE"));
        expect_bus(subscribers[i]);
        redisFree(subscribers[i]);
    }
    ok("reuse");
}

int main(void) {
    char line[32];
    redisContext *context = connect_and_log_in();
    redisReply *reply = call(context, "PING");
    expect_text(reply, "PONG");
    freeReplyObject(reply);
    ok("connect");
    store_and_search(context);
    run_script(context);
    subscribe(context);
    puts("restart");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL) fail("the server wasn't restarted");
    if (redisReconnect(context) != REDIS_OK) fail(context->errstr);
    log_in(context);
    expect_bus(context);
    ok("restart");
    redisFree(context);
    return 0;
}

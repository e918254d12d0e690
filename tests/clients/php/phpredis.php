<?php
// phpredis: rawCommand, its pipeline and transaction modes, subscribe, which blocks its process.
declare(strict_types=1);
require __DIR__ . '/steps.php';

function connect(): Redis
{
    $client = new Redis();
    if (CERTIFICATES) {
        $context = ['stream' => ['cafile' => CERTIFICATES]];
        $client->connect('tls://' . HOST, PORT, SECONDS_MAX, null, 0, SECONDS_MAX, $context);
    } else {
        $client->connect(HOST, PORT, SECONDS_MAX, null, 0, SECONDS_MAX);
    }
    if (PASSWORD) {
        $client->auth(USER ? [USER, PASSWORD] : PASSWORD);
    }
    return $client;
}

function place(Redis $client, string $id): mixed
{
    return $client->rawCommand('GET', 'fleet', $id, 'POINT');
}

function store_and_search(Redis $client): void
{
    expect($client->rawCommand('SET', 'fleet', 'truck', 'POINT', '33.5', '-112.2'), true);
    expect(place($client, 'truck'), ['33.5', '-112.2']);
    ok('set');
    $near = $client->rawCommand('NEARBY', 'fleet', 'LIMIT', 5, 'IDS', 'POINT', 33.5, -112);
    expect($near, [0, ['truck']]);
    ok('nearby');
    $pipeline = $client->pipeline();
    for ($number = 0; $number < 100; $number++) {
        $pipeline->rawCommand('SET', 'many', $number, 'POINT', $number % 90, 2);
    }
    expect($pipeline->exec(), array_fill(0, 100, true));
    ok('pipeline');
    $transaction = $client->multi()->rawCommand('SET', 'fleet', 'bus', 'POINT', 1, 2);
    expect($transaction->rawCommand('GET', 'fleet', 'bus', 'POINT')->exec(), [true, ['1', '2']]);
    ok('transaction');
    // It has no script helper: false and an error that begins with NOSCRIPT ask for EVAL.
    expect($client->evalSha(sha1(SCRIPT), ['fleet', 'bus'], 1), false);
    expect(str_starts_with($client->getLastError(), 'NOSCRIPT'), true);
    expect($client->eval(SCRIPT, ['fleet', 'bus'], 1), ['1', '2']);
    expect($client->evalSha(sha1(SCRIPT), ['fleet', 'bus'], 1), ['1', '2']);
    ok('script');
}

/** Runs a subscriber in a process of its own; it can't ping while it waits for messages. */
function start_subscriber(): int
{
    $process = pcntl_fork();
    if ($process) {
        return $process;
    }
    $client = connect();
    $done = false;
    $listen = function (Redis $client, string $channel, string $message) use (&$done): void {
        if ($message === 'hello') {
            expect($client->unsubscribe([$channel]), [$channel => true]);
            expect(place($client, 'bus'), ['1', '2']);
            $done = true;
            // In version 5 subscribe() goes on after the last channel until the connection ends.
            $client->close();
        }
    };
    try {
        $client->subscribe(['news'], $listen);
    } catch (RedisException) {
    }
    exit($done ? 0 : 1);
}

function subscribe(Redis $client): void
{
    $processes = [start_subscriber(), start_subscriber()];
    $deadline = time() + SECONDS_MAX;
    do {
        $receivers = $client->publish('news', 'are you there?');
    } while ($receivers < 2 && time() < $deadline);
    expect($client->publish('news', 'hello'), 2);
    ok('subscribe');
    foreach ($processes as $process) {
        pcntl_waitpid($process, $status);
        expect($status, 0);
    }
    ok('reuse');
}

$client = connect();
expect($client->ping(), true);
ok('connect');
store_and_search($client);
subscribe($client);
wait_for_restart();
expect(place($client, 'bus'), ['1', '2']);
ok('restart');

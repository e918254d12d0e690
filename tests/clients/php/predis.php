<?php
// predis: executeRaw, pipeline, transaction, a command of a script, a loop over messages.
declare(strict_types=1);
require '/usr/share/php/Predis/autoload.php';
require __DIR__ . '/steps.php';

use Predis\Client;
use Predis\Command\RawCommand;
use Predis\Command\ScriptCommand;

final class Place extends ScriptCommand
{
    public function getKeysCount()
    {
        return 1;
    }

    public function getScript()
    {
        return SCRIPT;
    }
}

function connect(): Client
{
    $parameters = ['scheme' => CERTIFICATES ? 'tls' : 'tcp', 'host' => HOST, 'port' => PORT];
    $login = array_filter(['username' => USER, 'password' => PASSWORD]);
    $encryption = CERTIFICATES ? ['ssl' => ['cafile' => CERTIFICATES]] : [];
    return new Client($parameters + $login + $encryption);
}

function place(Client $client, string $id): mixed
{
    return $client->executeRaw(['GET', 'fleet', $id, 'POINT']);
}

function store_and_search(Client $client): void
{
    expect($client->executeRaw(['SET', 'fleet', 'truck', 'POINT', '33.5', '-112.2']), 'OK');
    expect(place($client, 'truck'), ['33.5', '-112.2']);
    ok('set');
    $near = $client->executeRaw(['NEARBY', 'fleet', 'LIMIT', 5, 'IDS', 'POINT', 33.5, -112]);
    expect($near, [0, ['truck']]);
    ok('nearby');
    $replies = $client->pipeline(function ($pipeline): void {
        for ($number = 0; $number < 100; $number++) {
            $words = ['SET', 'many', $number, 'POINT', $number % 90, 2];
            $pipeline->executeCommand(new RawCommand($words));
        }
    });
    expect(array_map('strval', $replies), array_fill(0, 100, 'OK'));
    ok('pipeline');
    $executed = $client->transaction(function ($transaction): void {
        $transaction->executeCommand(new RawCommand(['SET', 'fleet', 'bus', 'POINT', 1, 2]));
        $transaction->executeCommand(new RawCommand(['GET', 'fleet', 'bus', 'POINT']));
    });
    expect([(string) $executed[0], $executed[1]], ['OK', ['1', '2']]);
    ok('transaction');
    $client->getProfile()->defineCommand('place', Place::class);
    for ($time = 0; $time < 2; $time++) {
        expect($client->place('fleet', 'bus'), ['1', '2']);
    }
    ok('script');
}

function subscribe(Client $publisher): void
{
    $clients = [connect(), connect()];
    $loops = [];
    foreach ($clients as $client) {
        $loop = $client->pubSubLoop(['subscribe' => 'news']);
        expect($loop->current()->kind, 'subscribe');
        $loop->ping('there');
        $pong = $loop->current();
        expect([$pong->kind, $pong->payload], ['pong', 'there']);
        $loops[] = $loop;
    }
    expect($publisher->publish('news', 'hello'), 2);
    foreach ($loops as $loop) {
        expect($loop->current()->payload, 'hello');
    }
    ok('subscribe');
    foreach ($loops as $number => $loop) {
        $loop->unsubscribe();
        expect($loop->current()->kind, 'unsubscribe');
        expect(place($clients[$number], 'bus'), ['1', '2']);
    }
    ok('reuse');
}

$client = connect();
expect((string) $client->ping(), 'PONG');
ok('connect');
store_and_search($client);
subscribe($client);
wait_for_restart();
try {
    // The command that meets the lost connection fails, and the next one connects again.
    place($client, 'bus');
} catch (Predis\Connection\ConnectionException) {
}
expect(place($client, 'bus'), ['1', '2']);
ok('restart');

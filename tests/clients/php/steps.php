<?php
// Shared by the programs of all PHP libraries: the server's address, the report of steps.
declare(strict_types=1);

define('HOST', getenv('TILE38_HOST'));
define('PORT', (int) getenv('TILE38_PORT'));
define('USER', getenv('TILE38_USER') ?: null);
define('PASSWORD', getenv('TILE38_PASSWORD') ?: null);
define('CERTIFICATES', getenv('TILE38_CA') ?: null);
const SCRIPT = "return tile38.call('GET', KEYS[1], ARGV[1], 'POINT')";
const SECONDS_MAX = 10;

function ok(string $step): void
{
    echo "ok $step\n";
}

function expect(mixed $found, mixed $expected): void
{
    if ($found !== $expected) {
        throw new Exception(json_encode($found) . ' instead of ' . json_encode($expected));
    }
}

function wait_for_restart(): void
{
    echo "restart\n";
    expect(fgets(STDIN), "restarted\n");
}

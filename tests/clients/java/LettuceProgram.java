import io.lettuce.core.ClientOptions;
import io.lettuce.core.LettuceFutures;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.SslOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.output.NestedMultiOutput;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.ProtocolKeyword;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Lettuce: sync and async commands, dispatch of custom ones, pub/sub connections; it has no script helper. */
final class LettuceProgram {
    private enum Word implements ProtocolKeyword {
        SET,
        GET,
        NEARBY;

        @Override
        public byte[] getBytes() {
            return name().getBytes(StandardCharsets.US_ASCII);
        }
    }

    private static CommandArgs<String, String> words(String... words) {
        return new CommandArgs<>(StringCodec.UTF8).addValues(words);
    }

    private static StatusOutput<String, String> status() {
        return new StatusOutput<>(StringCodec.UTF8);
    }

    private static NestedMultiOutput<String, String> nested() {
        return new NestedMultiOutput<>(StringCodec.UTF8);
    }

    private static void expectBus(RedisCommands<String, String> commands) {
        Object place = commands.dispatch(Word.GET, nested(), words("fleet", "bus", "POINT"));
        Steps.expect(place, List.of("1", "2"));
    }

    private static Object runScript(RedisCommands<String, String> commands) {
        String[] keys = {"fleet"};
        try {
            return commands.evalsha(commands.digest(Steps.SCRIPT), ScriptOutputType.MULTI, keys, "bus");
        } catch (RedisNoScriptException unknown) {
            return commands.eval(Steps.SCRIPT, ScriptOutputType.MULTI, keys, "bus");
        }
    }

    private static void storeAndSearch(StatefulRedisConnection<String, String> connection) {
        var commands = connection.sync();
        var truck = words("fleet", "truck", "POINT", "33.5", "-112.2");
        Steps.expect(commands.dispatch(Word.SET, status(), truck), "OK");
        Object place = commands.dispatch(Word.GET, nested(), words("fleet", "truck", "POINT"));
        Steps.expect(place, List.of("33.5", "-112.2"));
        Steps.ok("set");
        var area = words("fleet", "LIMIT", "5", "IDS", "POINT", "33.5", "-112");
        Steps.expect(commands.dispatch(Word.NEARBY, nested(), area), List.of(0L, List.of("truck")));
        Steps.ok("nearby");
        List<RedisFuture<String>> replies = new ArrayList<>();
        for (int number = 0; number < 100; number++) {
            var point = words("many", "" + number, "POINT", "" + number % 90, "2");
            replies.add(connection.async().dispatch(Word.SET, status(), point));
        }
        var futures = replies.toArray(new RedisFuture<?>[0]);
        Steps.expect(LettuceFutures.awaitAll(Duration.ofSeconds(Steps.SECONDS_MAX), futures), true);
        Steps.ok("pipeline");
        commands.multi();
        commands.dispatch(Word.SET, status(), words("fleet", "bus", "POINT", "1", "2"));
        commands.dispatch(Word.GET, nested(), words("fleet", "bus", "POINT"));
        Steps.expect(commands.exec().stream().toList(), List.of("OK", List.of("1", "2")));
        Steps.ok("transaction");
        for (int time = 0; time < 2; time++) {
            Steps.expect(runScript(commands), List.of("1", "2"));
        }
        Steps.ok("script");
    }

    private static void subscribe(RedisClient client, RedisCommands<String, String> publisher) throws Exception {
        BlockingQueue<String> messages = new LinkedBlockingQueue<>();
        List<StatefulRedisPubSubConnection<String, String>> subscribers = new ArrayList<>();
        for (int number = 0; number < 2; number++) {
            var subscriber = client.connectPubSub();
            subscriber.addListener(new RedisPubSubAdapter<>() {
                @Override
                public void message(String channel, String text) {
                    messages.add(text);
                }
            });
            subscriber.sync().subscribe("news");
            Steps.expect(subscriber.sync().ping(), "PONG");
            subscribers.add(subscriber);
        }
        Steps.expect(publisher.publish("news", "hello"), 2L);
        for (int number = 0; number < 2; number++) {
            Steps.expect(messages.poll(Steps.SECONDS_MAX, TimeUnit.SECONDS), "hello");
        }
        Steps.ok("subscribe");
        for (var subscriber : subscribers) {
            subscriber.sync().unsubscribe("news");
            expectBus(subscriber.sync());
            subscriber.close();
        }
        Steps.ok("reuse");
    }

    public static void main(String[] arguments) throws Exception {
        var address = RedisURI.builder().withHost(Steps.HOST).withPort(Steps.PORT);
        address.withTimeout(Duration.ofSeconds(Steps.SECONDS_MAX));
        if (Steps.USER != null) {
            address.withAuthentication(Steps.USER, Steps.PASSWORD);
        } else if (Steps.PASSWORD != null) {
            address.withPassword(Steps.PASSWORD.toCharArray());
        }
        address.withSsl(Steps.CERTIFICATES != null);
        var client = RedisClient.create(address.build());
        if (Steps.CERTIFICATES != null) {
            var options = SslOptions.builder().trustManager(new File(Steps.CERTIFICATES)).build();
            client.setOptions(ClientOptions.builder().sslOptions(options).build());
        }
        try (var connection = client.connect()) {
            Steps.expect(connection.sync().ping(), "PONG");
            Steps.ok("connect");
            storeAndSearch(connection);
            subscribe(client, connection.sync());
            Steps.waitForRestart();
            expectBus(connection.sync());
            Steps.ok("restart");
        } finally {
            client.shutdown(Duration.ZERO, Duration.ofSeconds(1));
        }
    }
}

import java.io.FileInputStream;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.Response;
import redis.clients.jedis.commands.ProtocolCommand;
import redis.clients.jedis.exceptions.JedisNoScriptException;
import redis.clients.jedis.util.SafeEncoder;

/** Jedis: a client with its pool, pipeline, transaction and JedisPubSub; it has no script helper. */
final class JedisProgram {
    private enum Word implements ProtocolCommand {
        SET,
        GET,
        NEARBY;

        @Override
        public byte[] getRaw() {
            return SafeEncoder.encode(name());
        }
    }

    /** A subscriber on a thread of its own, as JedisPubSub blocks. */
    private static final class Subscriber extends JedisPubSub {
        final BlockingQueue<String> events = new LinkedBlockingQueue<>();
        final Thread thread;

        Subscriber(RedisClient client) {
            thread = new Thread(() -> client.subscribe(this, "news"));
            thread.start();
        }

        @Override
        public void onSubscribe(String channel, int count) {
            events.add("subscribe " + count);
            // Here, on the thread that reads: from another thread the pong may come before Jedis waits for it.
            ping("there");
        }

        @Override
        public void onPong(String text) {
            events.add("pong " + text);
        }

        @Override
        public void onMessage(String channel, String text) {
            events.add("message " + text);
        }

        String next() throws InterruptedException {
            return events.poll(Steps.SECONDS_MAX, TimeUnit.SECONDS);
        }
    }

    private static Object call(RedisClient client, Word word, String... words) {
        return SafeEncoder.encodeObject(client.sendCommand(word, words));
    }

    private static void expectBus(RedisClient client) {
        Steps.expect(call(client, Word.GET, "fleet", "bus", "POINT"), List.of("1", "2"));
    }

    private static Object runScript(RedisClient client, String digest) {
        try {
            return client.evalsha(digest, List.of("fleet"), List.of("bus"));
        } catch (JedisNoScriptException unknown) {
            return client.eval(Steps.SCRIPT, List.of("fleet"), List.of("bus"));
        }
    }

    private static void storeAndSearch(RedisClient client) throws Exception {
        Steps.expect(call(client, Word.SET, "fleet", "truck", "POINT", "33.5", "-112.2"), "OK");
        Steps.expect(call(client, Word.GET, "fleet", "truck", "POINT"), List.of("33.5", "-112.2"));
        Steps.ok("set");
        Object near = call(client, Word.NEARBY, "fleet", "LIMIT", "5", "IDS", "POINT", "33.5", "-112");
        Steps.expect(near, List.of(0L, List.of("truck")));
        Steps.ok("nearby");
        List<Response<Object>> replies = new ArrayList<>();
        try (var pipeline = client.pipelined()) {
            for (int number = 0; number < 100; number++) {
                String[] words = {"many", "" + number, "POINT", "" + number % 90, "2"};
                replies.add(pipeline.sendCommand(Word.SET, words));
            }
            pipeline.sync();
        }
        for (var reply : replies) {
            Steps.expect(SafeEncoder.encodeObject(reply.get()), "OK");
        }
        Steps.ok("pipeline");
        try (AbstractTransaction transaction = client.multi()) {
            transaction.sendCommand(Word.SET, "fleet", "bus", "POINT", "1", "2");
            transaction.sendCommand(Word.GET, "fleet", "bus", "POINT");
            Object executed = SafeEncoder.encodeObject(transaction.exec());
            Steps.expect(executed, List.of("OK", List.of("1", "2")));
        }
        Steps.ok("transaction");
        // The SHA-1 of a script that the server doesn't know yet.
        var digest = MessageDigest.getInstance("SHA-1").digest(SafeEncoder.encode(Steps.SCRIPT));
        for (int time = 0; time < 2; time++) {
            Object place = runScript(client, HexFormat.of().formatHex(digest));
            Steps.expect(place, List.of("1", "2"));
        }
        Steps.ok("script");
    }

    private static void subscribe(RedisClient client) throws InterruptedException {
        var subscribers = List.of(new Subscriber(client), new Subscriber(client));
        for (var subscriber : subscribers) {
            Steps.expect(subscriber.next(), "subscribe 1");
            Steps.expect(subscriber.next(), "pong there");
        }
        Steps.expect(client.publish("news", "hello"), 2L);
        for (var subscriber : subscribers) {
            Steps.expect(subscriber.next(), "message hello");
        }
        Steps.ok("subscribe");
        for (var subscriber : subscribers) {
            subscriber.unsubscribe();
            subscriber.thread.join(Steps.SECONDS_MAX * 1000L);
            Steps.expect(subscriber.thread.isAlive(), false);
            // The pool hands out the connection that came back last.
            expectBus(client);
        }
        Steps.ok("reuse");
    }

    private static SSLSocketFactory trustCertificates() throws Exception {
        var store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        try (var file = new FileInputStream(Steps.CERTIFICATES)) {
            var authority = CertificateFactory.getInstance("X.509").generateCertificate(file);
            store.setCertificateEntry("authority", authority);
        }
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        var context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context.getSocketFactory();
    }

    public static void main(String[] words) throws Exception {
        var settings = DefaultJedisClientConfig.builder().user(Steps.USER).password(Steps.PASSWORD);
        if (Steps.CERTIFICATES != null) {
            settings.ssl(true).sslSocketFactory(trustCertificates());
        }
        var pool = new ConnectionPoolConfig();
        pool.setTestOnBorrow(true);
        try (var client = RedisClient.builder()
                .hostAndPort(new HostAndPort(Steps.HOST, Steps.PORT))
                .clientConfig(settings.build())
                .poolConfig(pool)
                .build()) {
            Steps.expect(client.ping(), "PONG");
            Steps.ok("connect");
            storeAndSearch(client);
            subscribe(client);
            Steps.waitForRestart();
            expectBus(client);
            Steps.ok("restart");
        }
    }
}

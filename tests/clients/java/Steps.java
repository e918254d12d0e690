import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/** Shared by the programs of all Java libraries: the server's address, the report of steps. */
final class Steps {
    static final String HOST = System.getenv("TILE38_HOST");
    static final int PORT = Integer.parseInt(System.getenv("TILE38_PORT"));
    static final String USER = System.getenv("TILE38_USER");
    static final String PASSWORD = System.getenv("TILE38_PASSWORD");
    /** A file of certificates, null for a plain connection. */
    static final String CERTIFICATES = System.getenv("TILE38_CA");

    static final String SCRIPT = "return tile38.call('GET', KEYS[1], ARGV[1], 'POINT')";
    static final int SECONDS_MAX = 10;

    private Steps() {}

    static void ok(String step) {
        System.out.println("ok " + step);
    }

    static void expect(Object found, Object expected) {
        if (!Objects.equals(found, expected)) {
            throw new AssertionError(found + " instead of " + expected);
        }
    }

    static void waitForRestart() throws Exception {
        System.out.println("restart");
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        expect(input.readLine(), "restarted");
    }
}

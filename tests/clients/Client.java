import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

/** Does what an application does with Java's own client, which offers HTTP/2 (`Upgrade: h2c`) unless it is told not to. */
class Client {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static String base;

    public static void main(String[] args) throws Exception {
        base = args[0];
        String app = "/v1/apps/app_java";
        String created = call("POST", app + "/conversations", text("{\"title\":\"of a known length\"}"));
        String one = app + "/conversations/" + created.replaceAll(".*?\"id\":\"([^\"]+)\".*", "$1");
        call("POST", app + "/conversations", chunks("{\"title\":\"in chunks\"}"));
        call("POST", one, text("{\"message\":{\"content\":\"hello\"}}"));
        call("POST", one, text("{\"message\":{\"content\":\"hello\"},\"stream\":true}"));
        call("PATCH", one, chunks("{\"metadata\":{\"a\":\"b\"}}"));
        call("DELETE", one, BodyPublishers.noBody());
        call("PATCH", "/_sandbox/apps/app_java", text("{\"generative_ui\":true}"));
        call("GET", app + "/conversations", BodyPublishers.noBody());
    }

    private static BodyPublisher text(String body) {
        return BodyPublishers.ofString(body);
    }

    private static BodyPublisher chunks(String body) {
        return BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body.getBytes()));
    }

    private static String call(String method, String path, BodyPublisher body) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create(base + path)).method(method, body)
            .header("Authorization", "Bearer sk_test_java").header("Content-Type", "application/json").build();
        var answer = CLIENT.send(request, BodyHandlers.ofString());
        System.out.println(method + " " + answer.statusCode() + " " + answer.body().replace("\n", " "));
        return answer.body();
    }
}

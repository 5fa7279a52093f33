// Works with the clients that openapi-generator makes (`-g java --library native`): `java Client http://127.0.0.1:PORT`.

import dimedove.api.ApiClient;
import dimedove.api.ApiException;
import dimedove.api.client.ApplicationsApi;
import dimedove.api.client.CompletionsApi;
import dimedove.api.client.ConversationsApi;
import dimedove.api.model.CompletionRequest;
import dimedove.api.model.Conversation;
import dimedove.api.model.ConversationCreateRequest;
import dimedove.api.model.ConversationUpdateRequest;
import dimedove.api.model.ErrorResponse;
import dimedove.api.model.MessageResponse;
import dimedove.api.model.OutputDataSpec;
import dimedove.api.model.OutputFunctionCall;
import dimedove.api.model.OutputMessage;
import dimedove.api.model.ResponseOutputItem;
import dimedove.api.model.ResponseOutputTextDeltaEvent;
import dimedove.api.model.SendMessageRequest;
import dimedove.api.model.StreamEvent;
import dimedove.api.model.TextPart;
import dimedove.api.model.UiElement;
import dimedove.api.model.UserMessage;
import dimedove.control.client.AppsApi;
import dimedove.control.client.FaultsApi;
import dimedove.control.client.RepliesApi;
import dimedove.control.model.AppSettingsPatch;
import dimedove.control.model.Fault;
import dimedove.control.model.ScriptedItem;
import dimedove.control.model.ScriptedMessage;
import dimedove.control.model.ScriptedMessageText;
import dimedove.control.model.ScriptedReply;
import dimedove.control.model.StatusFault;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

public final class Client {
  private static final String APP = "contract-tools-java";
  private static final String SAYING = "Bonjour, l’été 😀";

  private static final ApiClient CLIENT = new ApiClient();

  public static void main(String[] arguments) throws Exception {
    CLIENT.setRequestInterceptor(request -> request.header("Authorization", "Bearer sk_test_java"));
    same("the document's address", CLIENT.getBaseUri(), arguments[0] + "/v1");
    drive();
    talk(new ConversationsApi(CLIENT));
    CompletionRequest prompt = new CompletionRequest().prompt("[[echo]] " + SAYING);
    same("text", new CompletionsApi(CLIENT).appsApiCreateCompletion(APP, prompt).getText(), SAYING);
    same("app", new ApplicationsApi(CLIENT).appsApiGetAppConfig(APP).getAppId(), APP);
    System.out.println("the Java client of openapi-generator works");
  }

  /** Create, list, send, stream, read, patch, delete, and read an error. */
  private static void talk(ConversationsApi api) throws Exception {
    ConversationCreateRequest request = new ConversationCreateRequest().externalUserId("client/4471 é");
    request.metadata(Map.of("plan_type", "term_life"));
    Conversation created = api.appsApiCreateConversation(APP, request);
    String id = created.getId();
    same("metadata", created.getMetadata(), Map.of("plan_type", "term_life"));
    same("listed", api.appsApiListConversations(APP, 1, null, null, null).getData().get(0).getId(), id);

    OutputMessage words = send(api, id, "[[echo]] " + SAYING).get(0).getOutputMessage();
    same("text", words.getContent().get(0).getText(), SAYING);
    same("a tool is called", count(send(api, id, "[[tool]]"), OutputFunctionCall.class) > 0, true);
    List<ResponseOutputItem> form = send(api, id, "[[form]]");
    List<Object> values = form.stream().map(ResponseOutputItem::getActualInstance)
        .filter(OutputDataSpec.class::isInstance).map(OutputDataSpec.class::cast)
        .map(item -> item.getData().getPatch().getJsonPatchWithValue().getValue()).collect(Collectors.toList());
    same("a root", values.get(0) instanceof String, true);
    UiElement element = CLIENT.getObjectMapper().convertValue(values.get(1), UiElement.class);
    same("an element has props", element.getProps() != null, true);
    same("streamed", stream(id), SAYING);

    Object part = api.appsApiGetConversation(APP, id).getItems().get(0).getParts().get(0).getActualInstance();
    same("a part", part instanceof TextPart, true);
    ConversationUpdateRequest update = new ConversationUpdateRequest().title("Réclamation");
    same("title", api.appsApiUpdateConversation(APP, id, update).getTitle(), "Réclamation");
    same("deleted", api.appsApiDeleteConversation(APP, id).getDeleted(), true);
    try {
      api.appsApiGetConversation(APP, id);
      throw new AssertionError("a deleted conversation is still there");
    } catch (ApiException error) {
      ErrorResponse envelope = CLIENT.getObjectMapper().readValue(error.getResponseBody(), ErrorResponse.class);
      same("type", envelope.getError().getType(), "not_found");
    }
  }

  private static List<ResponseOutputItem> send(ConversationsApi api, String id, String content) throws ApiException {
    MessageResponse reply = api.appsApiSendMessage(APP, id, message(content, false));
    same("status", reply.getStatus(), MessageResponse.StatusEnum.COMPLETED);
    return reply.getOutput();
  }

  /** Read a stream line by line, each event with its model: the generated call waits for JSON. */
  private static String stream(String id) throws Exception {
    String body = CLIENT.getObjectMapper().writeValueAsString(message("[[echo]] " + SAYING, true));
    URI address = URI.create(CLIENT.getBaseUri() + "/apps/" + APP + "/conversations/" + id);
    HttpRequest request = HttpRequest.newBuilder(address).header("Authorization", "Bearer sk_test_java")
        .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(body)).build();
    StringBuilder text = new StringBuilder();
    for (String line : HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body().split("\n")) {
      if (line.startsWith("data: ")) {
        StreamEvent event = CLIENT.getObjectMapper().readValue(line.substring(6), StreamEvent.class);
        if (event.getActualInstance() instanceof ResponseOutputTextDeltaEvent delta) {
          text.append(delta.getDelta());
        }
      }
    }
    return text.toString();
  }

  /** Use the client of the control API. */
  private static void drive() throws Exception {
    new AppsApi().controlUpdateApp(APP, new AppSettingsPatch().generativeUi(true));
    FaultsApi faults = new FaultsApi();
    StatusFault fault = new StatusFault().kind(StatusFault.KindEnum.STATUS).status(503);
    same("used", faults.controlAddFault(APP, new Fault(fault)).getUsed(), 0);
    same("listed", faults.controlListFaults(APP).getData().size(), 1);
    faults.controlDeleteFaults(APP);
    ScriptedMessage said = new ScriptedMessage().type(ScriptedMessage.TypeEnum.MESSAGE).text(new ScriptedMessageText(SAYING));
    RepliesApi replies = new RepliesApi();
    replies.controlAddReply(APP, new ScriptedReply().output(List.of(new ScriptedItem(said))));
    replies.controlDeleteReplies(APP);
  }

  private static SendMessageRequest message(String content, boolean stream) {
    return new SendMessageRequest().message(new UserMessage().content(content)).stream(stream);
  }

  private static long count(List<ResponseOutputItem> output, Class<?> kind) {
    return output.stream().map(ResponseOutputItem::getActualInstance).filter(kind::isInstance).count();
  }

  private static void same(String what, Object got, Object wanted) {
    if (!Objects.equals(got, wanted)) {
      throw new AssertionError(what + ": expected " + wanted + ", got " + got);
    }
  }
}

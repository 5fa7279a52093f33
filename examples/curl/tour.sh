#!/usr/bin/env bash
# What the sandbox can do for whoever tests a client, with curl alone. In one terminal: dimedove-sandbox serve
# In another: bash examples/curl/tour.sh [http://127.0.0.1:8010]
# Each step says what it does; the script stops at the first answer that is not as it says.
set -euo pipefail

url=${1:-${DIMEDOVE_SANDBOX_URL:-http://127.0.0.1:8010}}
url=${url%/}
url=${url%/v1}
app=app_tour_$$
api=$url/v1/apps/$app
control=$url/_sandbox/apps/$app
key='Authorization: Bearer sk_test_tour'
json='Content-Type: application/json'
# A server that asks for a token finds it in the environment.
token=${DIMEDOVE_SANDBOX_CONTROL_TOKEN:-none}
bearer="Authorization: Bearer $token"

say() { printf '\n# %s\n' "$1"; }

# Shows an answer, and stops where it does not hold what it should.
expect() {
  printf '%s\n' "$answer"
  if [[ $answer != *"$1"* ]]; then
    printf 'expected: %s\n' "$1" >&2
    exit 1
  fi
}

call() { answer=$(curl -sS -w '%{http_code}' -H "$json" "$@" || true); }
# A call of the Apps API, and one of the control API.
ask() { call -H "$key" "$@"; }
set_up() { call -H "$bearer" "$@"; }

trap 'curl -sS -X DELETE -H "$bearer" "$control"' EXIT

say "Apps share nothing, and any new id is a new app. A conversation in it:"
ask "$api/conversations" -d '{"external_user_id": "user_abc123", "title": "Support inquiry"}'
expect '"title":"Support inquiry"'
id=$(sed -n 's/.*"id":"\([0-9a-f-]*\)".*/\1/p' <<<"$answer")

say "Script what the agent says next, then ask it:"
set_up "$control/replies" -d '{"output": [{"type": "message", "text": "You are booked for Tuesday."}]}'
expect 201
ask "$api/conversations/$id" -d '{"message": {"content": "Book me in."}}'
expect 'You are booked for Tuesday.'

say "The same as a stream, in a hostile but legal framing: CR LF, as some proxies make it:"
set_up -X PATCH "$control" -d '{"framing": "crlf"}'
expect '"framing":"crlf"'
ask -N "$api/conversations/$id" -d '{"message": {"content": "[[echo]] Bonjour!"}, "stream": true}'
expect 'event: response.completed'

say "A stream that is cut after three events: curl says that the transfer ended too soon."
set_up "$control/faults" -d '{"kind": "stream_cut", "events": 3}'
expect 201
ask -N "$api/conversations/$id" -d '{"message": {"content": "Hello"}, "stream": true}' 2>&1
expect 'event: response.created'
if [[ $answer == *response.completed* ]]; then exit 1; fi

say "The lost response: the conversation is created, but the client gets 500. What will your client do?"
set_up "$control/faults" -d '{"kind": "after", "operation": "apps_api_create_conversation", "status": 500}'
expect 201
ask "$api/conversations" -d '{"title": "Created after all"}'
expect '500'
ask "$api/conversations?limit=1"
expect '"title":"Created after all"'

say "One request brings its own fault in a header:"
ask "$api/config" -H 'Sandbox-Fault: status; status=503' -H "Sandbox-Control-Token: $token"
expect '503'

say "A rate limit, with the clock stopped so that nobody has to wait:"
set_up -X PATCH "$control" -d '{"rate_limit": {"per_minute": 1}}'
set_up -X PUT "$control/clock" -d '{"now": 1900000000}'
expect '"frozen":true'
ask "$api/completions" -d '{"prompt": "One"}'
expect '"status":"completed"'
ask -i "$api/completions" -d '{"prompt": "Two"}'
expect 'retry-after: 60'
set_up "$control/clock/advance" -d '{"seconds": 60}'
expect '1900000060'
ask "$api/completions" -d '{"prompt": "Three"}'
expect '"status":"completed"'

say "What did the client send? A misspelt field is taken silently, but noticed:"
ask "$api/conversations" -d '{"titel": "Typo"}'
set_up "$url/_sandbox/requests?app_id=$app&limit=1"
expect 'did you mean'

say "Is it what you expected? If not, the closest request is compared field by field:"
set_up "$url/_sandbox/requests/verify" -d '{
  "app_id": "'"$app"'", "operation": "apps_api_create_conversation", "body": {"title": "Typo"}
}'
expect '"misses":[{"place":"body.title","expected":"Typo"'

say "Any request of the journal as a command that repeats it:"
set_up "$url/_sandbox/requests?app_id=$app&limit=1"
request=$(sed -n 's/.*"first_id":"\(req_[0-9a-f]*\)".*/\1/p' <<<"$answer")
set_up "$url/_sandbox/requests/$request/curl"
expect "$api/conversations"

say "Done. The app is forgotten; its next use starts afresh."

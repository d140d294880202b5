#!/usr/bin/env bash
# The app registration, as infra/entra.bicep makes it, for directories where Bicep's Microsoft Graph extension cannot
# be used. Run again, it finds what it made and fixes what differs. The last line that it prints is the client id.
set -euo pipefail
# shellcheck source=infra/az.sh
source "$(dirname "$0")/az.sh"

usage() {
  cat <<'END'
Usage: infra/entra.sh --display-name N --public-url U --identity-principal-id P [--client-id C] [options]

  --display-name N            what people read on Microsoft's consent page
  --public-url U              where the world reaches the service, such as https://sso.example.com
  --identity-principal-id P   of the managed identity that the service runs as
  --client-id C               fix this registration, whatever its name is; its redirect URIs become those of U.
                              Without it the one that you made for P is fixed, or a new one is made; none is taken
                              over for its name
  --tile A                    the application, by its client id here, that a tile of Microsoft's My Apps opens
  --dry-run                   print the commands and run none
END
}

display_name='' public_url='' principal_id='' client_id='' tile='' cloud='' login='' graph='' tenant='' user='' user_type=''
while (($#)); do
  case $1 in
    --display-name) needs_value "$@"; display_name=$2; shift ;;
    --public-url) needs_value "$@"; public_url=$2; shift ;;
    --identity-principal-id) needs_value "$@"; principal_id=$2; shift ;;
    --client-id) needs_value "$@"; client_id=$2; shift ;;
    --tile) needs_value "$@"; tile=$2; shift ;;
    --dry-run) dry_run=yes ;;
    --help) usage; exit ;;
    *) stop "There is no option $1. See infra/entra.sh --help." ;;
  esac
  shift
done
[[ -n $display_name && -n $public_url && -n $principal_id ]] ||
  stop "--display-name, --public-url and --identity-principal-id are needed. See infra/entra.sh --help."
[[ $display_name != *[[:cntrl:]]* ]] || stop "--display-name must be one line."
is_address "$public_url" ||
  stop "--public-url must be an address such as https://sso.example.com, without a slash at its end."
[[ $tile =~ ^[A-Za-z0-9_-]{0,64}$ ]] || stop "--tile must be the client id of an application."

# Where Entra sends browsers back to: shared/connection (consent), shared/provider (sign-in, sign-out).
redirect_uris=("$public_url/v1/connect/callback" "$public_url/signin/callback" "$public_url/signed-out")
logout_url=$public_url/signin/front-channel-logout
home_page=null
if [[ -n $tile ]]; then home_page="\"$public_url/signin/start?application=$tile\""; fi

# Microsoft Graph, its delegated permissions (Scope) and its application permission (Role):
# https://learn.microsoft.com/graph/permissions-reference
permissions='[{
  "resourceAppId": "00000003-0000-0000-c000-000000000000",
  "resourceAccess": [
    {"type": "Scope", "id": "37f7f235-527c-4136-accd-4a02d197296e"},
    {"type": "Scope", "id": "14dad69e-099b-42c9-810b-d002981feec1"},
    {"type": "Scope", "id": "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0"},
    {"type": "Scope", "id": "e1fe6dd8-ba31-4d61-89e7-88639da4683d"},
    {"type": "Role", "id": "498476ce-e0fe-48b0-b801-37ba7e2685c6"}
  ]
}]' # openid, profile, email, User.Read; Organization.Read.All

# https://learn.microsoft.com/entra/identity-platform/optional-claims-reference
claims='{"idToken": [
  {"name": "xms_edov"}, {"name": "email"}, {"name": "acct"},
  {"name": "login_hint"}, {"name": "sid"}, {"name": "auth_time"},
  {"name": "given_name"}, {"name": "family_name"}, {"name": "acrs"}
]}'

on_one_line() { tr -d '\n' <<<"$1" | tr -s ' '; }

step "The app registration \"$display_name\""
ask $'AzureCloud\nhttps://login.microsoftonline.com\nhttps://graph.microsoft.com/' \
  az cloud show --query '[name, endpoints.activeDirectory, endpoints.microsoftGraphResourceId]' --output tsv ||
  failed "Which cloud this is cannot be read."
into cloud login graph
graph=${graph%/}/v1.0
ask $'<tenantId>\n<user>\nuser' az account show --query '[tenantId, user.name, user.type]' --output tsv ||
  failed "The signed-in account cannot be read."
into tenant user user_type
issuer=${login%/}/$tenant/v2.0
# https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
case $cloud in
  AzureUSGovernment) audience=api://AzureADTokenExchangeUSGov ;;
  AzureChinaCloud) audience=api://AzureADTokenExchangeChina ;;
  *) audience=api://AzureADTokenExchange ;;
esac

# -- whose it is -------------------------------------------------------------------------------------------------------
# Neither a display name, a redirect URI nor a unique name proves anything: whoever may make registrations can make one
# that bears ours, and keep a credential to it, or remain an owner who can add one later.

# Ends if anything but the identity could prove itself as this registration: it would go on doing so in each customer's
# directory. Called with how to ask: one that was just made, patiently.
trusts_the_identity_alone() {
  local asking=$1 keys others foreign
  keys="passwordCredentials[].join(' ', ['client secret', keyId]), keyCredentials[].join(' ', ['certificate', keyId])"
  "$asking" '' az ad app show --id "$client_id" --query "[$keys][]" --output tsv ||
    failed "The app registration $client_id cannot be read."
  foreign=$answer
  others="[?subject != '$principal_id' || issuer != '$issuer']"
  "$asking" '' az ad app federated-credential list --id "$client_id" --output tsv --query \
    "$others.join(' ', ['federated credential', name, 'for', not_null(subject, 'an expression'), 'of', issuer])" ||
    failed "The federated credentials cannot be read."
  foreign+=${answer:+${foreign:+$'\n'}$answer}
  [[ -z $foreign ]] || stop "The app registration $client_id trusts more than the identity $principal_id:
  ${foreign//$'\n'/$'\n'  }
Find out whose these are. Remove them, or choose another registration, and run this again."
}

# The one that was found by its unique name: ends if anybody else owns it.
is_yours_alone() {
  local me=$user owners
  if [[ $user_type = user ]]; then
    ask '<userId>' az ad signed-in-user show --query id --output tsv || failed "The signed-in user cannot be read."
    me=$answer
  fi
  ask_patiently '' az ad app owner list --id "$client_id" --output tsv \
    --query "[?id != '$me' && appId != '$me'].not_null(userPrincipalName, displayName, id)" ||
    failed "The owners of the app registration $client_id cannot be read."
  owners=$(paste -sd ' ' <<<"$answer")
  [[ -z $owners ]] || stop "The app registration $client_id was made for this identity, and is owned by others than you:
  $owners
If you know that it is this service's, hand its id to --client-id. If you do not, delete it, and run this again."
}

# Whoever has a registration of this name already would have customers consent to a second one.
has_no_namesake() {
  local id namesakes=
  ask '' az ad app list --filter "displayName eq '${display_name//\'/\'\'}'" --output tsv \
    --query "[?uniqueName != '$unique_name'].appId" || # its own, if only its unique name is not known yet
    failed "The app registrations cannot be read."
  [[ -n $answer ]] || return 0
  for id in $answer; do
    ask '' az ad app owner list --id "$id" --query '[].not_null(userPrincipalName, displayName, id)' --output tsv ||
      failed "The owners of the app registration $id cannot be read."
    namesakes+="  $id, owned by $(paste -sd ' ' <<<"${answer:-nobody}")"$'\n'
  done
  stop "There is a registration of this name:
${namesakes}Anybody may have made it, so it is not taken over. If you know that it is this service's, hand its id to" \
    "--client-id, so that customers need not consent anew, and then to --entra of infra/deploy.sh; otherwise choose" \
    "another --display-name."
}

# By which a later run finds what an earlier one made. Azure lets nobody have it twice in a directory.
unique_name=azure-sso-$principal_id
own="applications(uniqueName='$unique_name')"
find_own() { "$1" '' az rest --method get --url "$graph/$own?\$select=appId" --query appId --output tsv; }

if [[ -n $client_id ]]; then
  trusts_the_identity_alone ask
else
  find_own look_for
  client_id=$answer
  if [[ -n $client_id ]]; then
    is_yours_alone
    trusts_the_identity_alone ask_patiently
  else
    has_no_namesake
  fi
fi

# -- what it is --------------------------------------------------------------------------------------------------------
# By az rest: az ad app create would take over a namesake, and has no options for half of these. `web` goes whole, so that
# nothing depends on how Graph merges it. With the lock nobody can add a credential to what stands for this application
# in a customer's directory. That an email which nobody verified is left out of tokens is the rule for every registration
# since June 2023, and only Graph's beta would let us say it again.
web=$(printf '{"homePageUrl": %s, "redirectUris": ["%s", "%s", "%s"], "logoutUrl": "%s", "implicitGrantSettings": %s}' \
  "$home_page" "${redirect_uris[@]}" "$logout_url" '{"enableIdTokenIssuance": false, "enableAccessTokenIssuance": false}')
wanted=$(printf '{"displayName": %s, "web": %s, "requiredResourceAccess": %s, "optionalClaims": %s, %s, %s}' \
  "$(json "$display_name")" "$web" "$(on_one_line "$permissions")" "$(on_one_line "$claims")" \
  '"signInAudience": "AzureADMultipleOrgs", "isFallbackPublicClient": false, "groupMembershipClaims": "DirectoryRole"' \
  '"servicePrincipalLockConfiguration": {"isEnabled": true, "allProperties": true}')
if [[ -n $client_id ]]; then
  say "It is there: $client_id. What differs is fixed."
  ask_patiently '' az rest --method patch --url "$graph/applications(appId='$client_id')" \
    --headers Content-Type=application/json --body "$wanted" || failed "The app registration cannot be changed."
else
  # https://learn.microsoft.com/graph/api/application-upsert
  ask '<clientId>' az rest --method patch --url "$graph/$own" --headers Content-Type=application/json \
    Prefer=create-if-missing --body "$wanted" --query appId --output tsv ||
    failed "The app registration cannot be made."
  client_id=$answer
  if [[ -z $client_id ]]; then # it was there all the same: Graph's replicas lag by seconds after a write
    find_own ask_patiently || failed "The app registration cannot be read."
    client_id=$answer
    is_yours_alone
    trusts_the_identity_alone ask_patiently
  fi
  say "It is made: $client_id."
fi

# -- whom it trusts ----------------------------------------------------------------------------------------------------

say "Its credential is the managed identity $principal_id."
trust=$(printf '"issuer": "%s", "subject": "%s", "audiences": ["%s"]' "$issuer" "$principal_id" "$audience")
ask_patiently '' az ad app federated-credential list --id "$client_id" \
  --query "[?name=='managed-identity' || subject=='$principal_id'].id | [0]" --output tsv ||
  failed "The federated credentials cannot be read."
if [[ -n $answer ]]; then
  ask_patiently '' az ad app federated-credential update --id "$client_id" --federated-credential-id "$answer" \
    --parameters "{$trust}" --output none || failed "The federated credential cannot be changed."
else
  ask_patiently '' az ad app federated-credential create --id "$client_id" \
    --parameters "{\"name\": \"managed-identity\", $trust}" --output none || [[ $(complaint) = *"already exists"* ]] ||
    failed "The federated credential cannot be made."
fi

# A token that is asked for too early is refused, and the refusal remembered for minutes:
# https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
for pause in 5 10 20 30 60 ''; do
  ask "$principal_id" az ad app federated-credential list --id "$client_id" \
    --query "[?subject=='$principal_id' && issuer=='$issuer'].subject | [0]" --output tsv ||
    failed "The federated credentials cannot be read."
  if [[ -n $answer ]]; then break; fi
  [[ -n $pause ]] || { say "Entra does not show it yet. It can take minutes until it counts."; break; }
  say "Entra does not show it yet. Looking again in $pause s."
  sleep "$pause"
done

# Without a service principal of its own, the home tenant would issue no token to check the credential with.
ask '' az ad sp list --filter "appId eq '$client_id'" --query '[0].id' --output tsv ||
  failed "The service principal cannot be looked for."
if [[ -z $answer ]]; then
  ask_patiently '' az ad sp create --id "$client_id" --query id --output tsv ||
    [[ $(complaint) = *"already in use"* ]] || failed "The service principal cannot be made."
fi

step "$client_id"

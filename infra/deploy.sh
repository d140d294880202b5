#!/usr/bin/env bash
# From an empty resource group to a healthy service. Run again, it updates what stands. It says what it does at each
# step, and shows what would change in Azure before it changes it.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=infra/az.sh
source infra/az.sh

usage() {
  cat <<'END'
Usage: infra/deploy.sh --resource-group RG --location L --environment dev|prod [options]

  --resource-group RG        an existing resource group; az group create makes one
  --location L               the region, such as westeurope
  --environment dev|prod     which infra/*.parameters.json to read
  --public-url U             the custom domain or Front Door in front; without it, the function app's own address
  --display-name N           what customers read on Microsoft's consent page
  --entra bicep|script|ID    the app registration: made by Bicep's Microsoft Graph extension (the default), made by
                             infra/entra.sh, or the client id of one that is there and is left as it is
  --yes                      do not ask before changing what the preview shows
  --dry-run                  print every command and run none
END
}

readonly pseudonym_secret=pseudonym-key # as infra/modules names it
readonly oldest_az=2.60.0               # the first that knows Flex Consumption
readonly oldest_bicep=0.36.1            # the first that knows the Microsoft Graph extension
# Those of the Bicep. Besides, Microsoft.App runs Flex Consumption, and Application Insights makes a rule of its own in
# Microsoft.AlertsManagement (https://learn.microsoft.com/azure/azure-functions/flex-consumption-how-to).
readonly providers=(Microsoft.AlertsManagement Microsoft.App Microsoft.EventGrid Microsoft.Insights Microsoft.KeyVault
  Microsoft.ManagedIdentity Microsoft.Network Microsoft.OperationalInsights Microsoft.Storage Microsoft.Web)
# What the identity is given, https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
declare -rA roles=(
  [b7e6dc6d-f1e8-4753-8033-0f276bb0955b]="Storage Blob Data Owner"
  [0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3]="Storage Table Data Contributor"
  [3913510d-42f4-4e42-8a64-420c390055eb]="Monitoring Metrics Publisher"
  [12338af0-0e69-4776-bea7-57ae8d297424]="Key Vault Crypto User"
  [4633458b-17de-408a-b874-0445c86b69e6]="Key Vault Secrets User"
)
# Who may make app registrations: Global, Application and Cloud Application Administrator, Application Developer,
# https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference
readonly registrars=(62e90394-69f5-4237-9190-012177145e10 9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3
  158c047a-c907-4556-b7ef-446551a6b5f7 cf1c38e5-3621-4004-a7cb-879624dced7a)

group='' location='' environment='' public_url='' display_name='' entra=bicep yes=no
while (($#)); do
  case $1 in
    --resource-group) needs_value "$@"; group=$2; shift ;;
    --location) needs_value "$@"; location=$2; shift ;;
    --environment) needs_value "$@"; environment=$2; shift ;;
    --public-url) needs_value "$@"; public_url=$2; shift ;;
    --display-name) needs_value "$@"; display_name=$2; shift ;;
    --entra) needs_value "$@"; entra=$2; shift ;;
    --yes) yes=yes ;;
    --dry-run) dry_run=yes ;;
    --help) usage; exit ;;
    *) stop "There is no option $1. See infra/deploy.sh --help." ;;
  esac
  shift
done
[[ -n $group && -n $location ]] || stop "--resource-group and --location are needed. See infra/deploy.sh --help."
[[ $environment = dev || $environment = prod ]] || stop "--environment must be dev or prod."
[[ $entra =~ ^(bicep|script|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$ ]] ||
  stop "--entra must be bicep, script, or the client id of an app registration."
[[ -z $public_url ]] || is_address "$public_url" ||
  stop "--public-url must be an address such as https://sso.example.com, without a slash at its end."
if [[ -z $display_name ]]; then display_name="Azure SSO$([[ $environment = prod ]] || echo " ($environment)")"; fi
subscription='' tenant='' user='' user_type='' login='' graph='' principal_id='' app='' client_id=''
parameters=infra/$environment.parameters.json
deployment=azure-sso-$environment

# -- 1: may this go well? ----------------------------------------------------------------------------------------------

is_older() { [[ $1 != "$2" && $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) = "$1" ]]; }

check_tools() {
  local tool
  for tool in az make curl; do
    [[ $dry_run = yes ]] || command -v "$tool" >/dev/null || stop "$tool is needed and not found. Install it first."
  done
  ask $oldest_az az version --query '"azure-cli"' --output tsv || failed "az does not tell its version."
  ! is_older "$answer" $oldest_az || stop "az $answer is too old: $oldest_az or newer is needed. Run: az upgrade"
  ask "Bicep CLI version $oldest_bicep" az bicep version || stop "Bicep is missing. Run: az bicep install"
  [[ $answer =~ ([0-9]+\.[0-9]+\.[0-9]+) ]] || stop "az bicep version does not tell a version. Run: az bicep install"
  if [[ $entra = bicep ]] && is_older "${BASH_REMATCH[1]}" $oldest_bicep; then
    stop "Bicep ${BASH_REMATCH[1]} does not know the Microsoft Graph extension: $oldest_bicep or newer does. Run" \
      "az bicep upgrade; or run this with --entra script."
  fi
}

check_parameters() {
  [[ $dry_run = no ]] || return 0
  [[ -f $parameters ]] || stop "$parameters is missing."
  # Placeholders stand in angle brackets, or under names that nobody can own (RFC 2606).
  local left
  mapfile -t left < <(grep -nE '"[^"]*<[^">]+>|[/@.]example([/:",]|\.(com|net|org))' "$parameters")
  ((${#left[@]} == 0)) || stop "$parameters still holds placeholders. Put your own values in their place:
$(printf '  line %s\n' "${left[@]}")"
}

check_sign_in() {
  ask $'<subscriptionId>\n<tenantId>\n<user>\nuser' az account show --query '[id, tenantId, user.name, user.type]' \
    --output tsv || failed "The signed-in account cannot be read."
  into subscription tenant user user_type
  say "As $user, in the subscription $subscription of the directory $tenant."
  if ! ask "$location" az group show --name "$group" --query location --output tsv; then
    [[ $(complaint) != *ResourceGroupNotFound* ]] || stop "There is no resource group $group in this subscription." \
      "Make it first: $(quoted az group create --name "$group" --location "$location"). If it is in another" \
      "subscription: az account set --subscription NAME"
    failed "The resource group cannot be read."
  fi
}

# Whether one of the caller's permissions (lines of "action,action|notAction,notAction") allows an action.
may() {
  local permission
  while read -r permission; do
    if covers "${permission%%|*}" "$1" && ! covers "${permission#*|}" "$1"; then return 0; fi
  done <<<"$permissions"
  return 1
}

covers() {
  local pattern
  for pattern in ${1//,/ }; do
    # shellcheck disable=SC2053 # it is a pattern
    if [[ ${2,,} == ${pattern,,} ]]; then return 0; fi
  done
  return 1
}

check_rights() {
  # What Azure itself counts for whoever asks, groups and inheritance included:
  # https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource-group
  ask '*|' az rest --method get --url "$(arm /providers/Microsoft.Authorization/permissions 2022-04-01)" \
    --query "value[].join('|', [join(',', actions), join(',', notActions)])" --output tsv ||
    failed "Your rights in the resource group cannot be read."
  permissions=$answer
  set -f # the patterns are not file names
  local action
  for action in Microsoft.Resources/deployments/write Microsoft.Web/sites/write; do
    may $action || stop "You may not deploy into $group ($action is missing). Ask its owner for the role Owner, or" \
      "for Contributor together with Role Based Access Control Administrator."
  done
  may Microsoft.Authorization/roleAssignments/write || stop "You may not assign roles in $group, which its identity" \
    "needs. Ask the group's owner for the role Owner, or for Role Based Access Control Administrator beside your own."
  set +f
}

# Like `ask`, for what a check wants to know: whoever may not even see it finds out later, where it matters.
see() {
  local what=$1
  shift
  if ask "$@"; then return; fi
  case $(complaint) in
    *AuthorizationFailed* | *Authorization_RequestDenied* | *Forbidden* | *"Insufficient privileges"*)
      say "You may not see $what. That is not checked."
      return 1 ;;
    *) failed "Azure does not tell $what." ;;
  esac
}

check_directory_rights() {
  if [[ $user_type != user ]]; then
    say "A service principal is signed in: whether it may make app registrations is not checked."
    return
  fi
  see "your roles in the directory" "${registrars[0]}" az rest --method get --url \
    "$graph/v1.0/me/transitiveMemberOf/microsoft.graph.directoryRole?\$select=roleTemplateId" \
    --query 'value[].roleTemplateId' --output tsv || return 0
  if grep -qF "$(printf '%s\n' "${registrars[@]}")" <<<"$answer"; then return; fi
  see "the directory's policy on app registrations" true az rest --method get \
    --url "$graph/v1.0/policies/authorizationPolicy" \
    --query defaultUserRolePermissions.allowedToCreateApps --output tsv || return 0
  [[ ${answer,,} = true ]] || stop "You may not make app registrations in this directory. Ask for the role" \
    "Application Administrator; or have somebody who has it run infra/entra.sh, and hand its client id to --entra."
}

check_region() {
  see "the regions of Flex Consumption" "$location" az functionapp list-flexconsumption-locations \
    --query '[].name' --output tsv || return 0
  local wanted=${location// /}
  grep -qxi "$wanted" <<<"${answer// /}" || stop "Azure does not offer Flex Consumption in $location. It does in:" \
    "$(sort <<<"$answer" | paste -sd ' ')"
}

check_providers() {
  see "the subscription's resource providers" "$(printf '%s\n' "${providers[@]}")" az provider list \
    --query "[?registrationState=='Registered'].namespace" --output tsv || return 0
  local provider missing=()
  for provider in "${providers[@]}"; do
    grep -qxi "$provider" <<<"$answer" || missing+=("az provider register --namespace $provider --wait")
  done
  ((${#missing[@]} == 0)) || stop "The subscription lacks resource providers. You, or its owner, run once:
$(printf '  %s\n' "${missing[@]}")"
}

# -- 2: the parts ------------------------------------------------------------------------------------------------------

# The address of something in the resource group, for az rest.
arm() { echo "/subscriptions/$subscription/resourceGroups/$group$1?api-version=$2"; }

make_identity() {
  local own_url=()
  [[ -z $public_url ]] || own_url=(publicUrl="$public_url")
  ask $'<identityPrincipalId>\n<functionAppName>\n'"${public_url:-https://<functionAppName>.azurewebsites.net}" \
    az deployment group create --resource-group "$group" --name "$deployment-identity" \
    --template-file infra/identity.bicep \
    --parameters environmentName="$environment" location="$location" "${own_url[@]}" \
    --query 'properties.outputs.[identityPrincipalId.value, functionAppName.value, publicUrl.value]' --output tsv ||
    failed "The managed identity cannot be made."
  into principal_id app public_url
  say "The service will run as the identity $principal_id and answer at $public_url."
}

register_by_bicep() {
  ask_patiently '<clientId>' az deployment group create --resource-group "$group" --name "$deployment-entra" \
    --template-file infra/entra.bicep \
    --parameters publicUrl="$public_url" identityPrincipalId="$principal_id" displayName="$display_name" \
    --query properties.outputs.clientId.value --output tsv ||
    failed "The app registration cannot be made by Bicep. --entra script makes it without the Graph extension."
  client_id=$answer
}

register_by_script() {
  local line dry=() known=()
  [[ $dry_run = no ]] || dry=(--dry-run)
  # Which registration is this service's, only the service itself can tell: a name proves nothing.
  look_for '' az functionapp config appsettings list --resource-group "$group" --name "$app" \
    --query "[?name=='SSO_ENTRA_CLIENT_ID'].value | [0]" --output tsv
  [[ -z $answer ]] || known=(--client-id "$answer")
  while IFS= read -r line; do # what it says is shown as it comes; its last line is the client id
    printf '%s\n' "$line"
    client_id=$line
  done < <(infra/entra.sh --display-name "$display_name" --public-url "$public_url" \
    --identity-principal-id "$principal_id" "${known[@]}" "${dry[@]}")
  wait $! || exit 1 # it has said why
}

check_registration() {
  client_id=$entra
  ask "$principal_id" az ad app federated-credential list --id "$client_id" --query '[].subject' --output tsv ||
    failed "The app registration $client_id cannot be read."
  grep -qx "$principal_id" <<<"$answer" || stop "The app registration $client_id does not trust the identity of this" \
    "service. Have its owner run: $(quoted infra/entra.sh --client-id "$client_id" --display-name "$display_name" \
      --public-url "$public_url" --identity-principal-id "$principal_id")"
}

# A pseudonym key that is there stays: another one would break the thread of the logs. Which vault it is in, the app's
# settings know; that it is there, Resource Manager tells without a right to read it.
find_pseudonym_key() {
  create_key=true
  look_for 'https://<keyVaultName>' az functionapp config appsettings list --resource-group "$group" --name "$app" \
    --query "[?name=='SSO_SIGNING_KEY_URL'].value | [0]" --output tsv
  [[ -n $answer ]] || return 0
  local vault=${answer#https://}
  look_for '' az rest --method get --query name --output tsv \
    --url "$(arm "/providers/Microsoft.KeyVault/vaults/${vault%%.*}/secrets/$pseudonym_secret" 2023-07-01)"
  if [[ -n $answer ]]; then create_key=false; fi
}

# Like `ask`, but what is not there is no failure: the answer is empty then.
look_for() {
  if ask "$@"; then return; fi
  case $(complaint) in
    *NotFound* | *"not found"* | *"Unable to find"*) answer= ;;
    *) failed "Whether this was deployed before cannot be seen." ;;
  esac
}

explain_and_stop() {
  case $(complaint) in
    *"deleted state"* | *VaultAlreadyExists*)
      local vault
      ask '' az keyvault list-deleted --resource-type vault \
        --query "[?contains(properties.vaultId, '/resourceGroups/$group/')].name | [0]" --output tsv || answer=
      vault=${answer:-NAME}
      stop "The Key Vault of an earlier deployment still holds its name: it is soft-deleted, and its purge protection" \
        "keeps it for 90 days. Bring it back with its keys, and run this again:" \
        "$(quoted az keyvault recover --name "$vault" --location "$location" --resource-group "$group")" ;;
    *) failed "$1" ;;
  esac
}

deploy_service() {
  local what=(--resource-group "$group" --name "$deployment" --template-file infra/main.bicep
    --parameters "@$parameters" location="$location" publicUrl="$public_url" entraClientId="$client_id"
    createPseudonymKey="$create_key")
  run az deployment group what-if "${what[@]}" || explain_and_stop "What would change cannot be foreseen."
  if [[ $yes = no && $dry_run = no ]]; then
    local reply
    read -rp $'\n  Change this? [y/N] ' reply
    [[ $reply = [yY] ]] || stop "Nothing was changed but the identity and its app registration."
  fi
  say "This takes some minutes."
  ask_patiently '' az deployment group create "${what[@]}" --query properties.provisioningState --output tsv ||
    explain_and_stop "The deployment failed."
}

# A role that is assigned but not yet seen makes a new app's first start fail.
await_roles() {
  local pause role unseen assignments
  assignments=$(arm /providers/Microsoft.Authorization/roleAssignments 2022-04-01)
  for pause in 5 10 20 30 60 120 ''; do
    ask "$(printf '/%s\n' "${!roles[@]}")" az rest --method get \
      --url "$assignments&\$filter=principalId eq '$principal_id'" \
      --query 'value[].properties.roleDefinitionId' --output tsv || failed "The role assignments cannot be read."
    unseen=
    for role in "${!roles[@]}"; do
      [[ $answer = *"/$role"* ]] || unseen+="${unseen:+, }${roles[$role]}"
    done
    if [[ -z $unseen ]]; then return; fi
    [[ -n $pause ]] || stop "Azure does not show what the service's identity was given: $unseen. Run this again in" \
      "some minutes."
    say "Not seen yet: $unseen. Looking again in $pause s."
    sleep "$pause"
  done
}

publish() {
  local patience=()
  # Some versions of az ask a function app that is closed to them for its health for ever (azure-cli issue 31394).
  if command -v timeout >/dev/null || [[ $dry_run = yes ]]; then patience=(timeout 1200); fi
  run make zip || failed "The package cannot be built."
  say "Azure now installs its Python packages, which takes some minutes."
  run "${patience[@]}" az functionapp deployment source config-zip --resource-group "$group" --name "$app" \
    --src dist/azure-sso.zip --build-remote true --output none && return
  # After a good deployment az asks the app for its health, in its own way: what it finds is not decisive.
  [[ $(complaint) = *"Checking the health"* ]] || failed "The package was not taken."
  say "az doubts that the app is well. The package is deployed, though: the app itself is asked next."
}

# -- 3: is it well? ----------------------------------------------------------------------------------------------------

# What an unhealthy part means, and what to do.
advice_on() {
  case $1 in
    storage)
      echo "The tables cannot be reached. A role that was just assigned can take ten minutes to count: run this" \
        "again then." ;;
    signingKeys)
      echo "Key Vault cannot be reached. A role that was just assigned can take ten minutes to count: run this" \
        "again then." ;;
    entra) echo "Microsoft Entra ID cannot be reached from the service. Check SSO_ENTRA_AUTHORITY and the network." ;;
    controlPanel)
      echo "The control panel's issuer cannot be reached from the service. Check controlPanelIssuer in $parameters." ;;
    credential)
      echo "Microsoft Entra ID issues no token to the service. Its app registration must trust exactly this identity:" \
        "issuer $login/$tenant/v2.0, subject $principal_id. What it trusts, you see by" \
        "$(quoted az ad app federated-credential list --id "$client_id"). If that is right, it is not yet known" \
        "everywhere: run this again." ;;
    *) echo "See the log of the function app for what it says of $1." ;;
  esac
}

parts_down() { grep -oE '"[A-Za-z]+":"down"' <<<"$1" | cut -d '"' -f 2 || true; }

check_health() {
  local pause status='' body='' down part
  if [[ $dry_run = yes ]]; then
    quoted curl --silent --show-error --max-time 30 "$public_url/health"
    return
  fi
  # Ten minutes in all: a cold start, packages that are still being installed, roles and credentials that spread.
  for pause in 5 10 20 30 30 30 30 60 60 60 60 60 60 60 ''; do
    body=$(curl --silent --show-error --max-time 30 --write-out '\n%{http_code}' "$public_url/health" 2>"$kept") || true
    status=${body##*$'\n'}
    body=$(tr -d '[:space:]' <<<"${body%$'\n'*}")
    case $status$body in
      *'"status":"misconfigured"'*)
        stop "The service says that settings are wrong: $(grep -oE '"field":"[^"]+"' <<<"$body" | cut -d '"' -f 4 |
          paste -sd ' '). Correct them in $parameters, or see $public_url/health, and run this again." ;;
      200*'"status":"ok"'*)
        [[ $body = *'"credential":"ok"'* ]] || stop "The service is well, but does not check its credential at Entra:" \
          "SSO_ENTRA_HOME_TENANT is not set. Nobody can sign in if that credential is wrong."
        return ;;
    esac
    [[ -n $pause ]] || break
    down=$(parts_down "$body" | paste -sd ' ')
    say "Not well yet (status $status${down:+; down: $down}). Asking again in $pause s."
    sleep "$pause"
  done
  if [[ -n $(parts_down "$body") ]]; then
    stop "The service runs, but is not well:
$(for part in $(parts_down "$body"); do echo "  $part: $(advice_on "$part")"; done)"
  fi
  case $status in
    404) stop "The app runs without functions: its code could not be imported, or the package is not there yet. See" \
      "the traceback in its log stream: $(quoted az webapp log tail --resource-group "$group" --name "$app")" ;;
    000) stop "Nobody answers at $public_url/health. If this is a custom domain or Front Door, let it lead to" \
      "https://$app.azurewebsites.net first, and run this again. curl says: $(complaint)" ;;
    *) stop "$public_url/health answers $status. See the app's log stream:" \
      "$(quoted az webapp log tail --resource-group "$group" --name "$app")" ;;
  esac
}

# -- the way through ---------------------------------------------------------------------------------------------------

[[ $yes = yes || $dry_run = yes || -t 0 ]] ||
  stop "Nobody is here to confirm what will change. Run this in a terminal, or with --yes."

step "1/7 Tools, rights and region"
check_tools
check_parameters
check_sign_in
ask $'https://login.microsoftonline.com\nhttps://graph.microsoft.com/' \
  az cloud show --query 'endpoints.[activeDirectory, microsoftGraphResourceId]' --output tsv ||
  failed "Which cloud this is cannot be read."
into login graph
login=${login%/} graph=${graph%/}
check_rights
if [[ $entra = bicep || $entra = script ]]; then check_directory_rights; fi
check_region
check_providers

step "2/7 The managed identity"
make_identity

step "3/7 The app registration"
case $entra in
  bicep) register_by_bicep ;;
  script) register_by_script ;;
  *) check_registration ;;
esac
say "Its client id is $client_id."

step "4/7 What would change in Azure, and changing it"
find_pseudonym_key
deploy_service

step "5/7 The roles of the identity"
await_roles

step "6/7 The package"
publish

step "7/7 The service's own word: its parts, and a token from Entra"
check_health

if [[ $dry_run = yes ]]; then
  step "Nothing was run."
else
  step "The service is well at $public_url. Its client id is $client_id."
fi

#!/usr/bin/env bash
# From an empty resource group to a healthy service. Run again, it updates what stands. It says what it does at each
# step, and shows what would change in Azure before it changes it.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=infra/az.sh
source infra/az.sh
# shellcheck source=infra/preflight.sh
source infra/preflight.sh
# shellcheck source=infra/health.sh
source infra/health.sh

usage() {
  cat <<'END'
Usage: infra/deploy.sh --resource-group RG --location L --environment dev|prod [options]

  --resource-group RG        an existing resource group; az group create makes one
  --location L               the region, such as westeurope
  --environment dev|prod     which infra/*.parameters.json to read
  --public-url U             the custom domain or Front Door in front; without it, the function app's own address
  --display-name N           what customers read on Microsoft's consent page
  --tile APPLICATION         the application, by its client id here, that a tile of Microsoft's My Apps opens; without
                             it there is none
  --entra bicep|script|ID    the app registration: made by Bicep's Microsoft Graph extension (the default), made by
                             infra/entra.sh, or the client id of one that is there and is left as it is
  --yes                      do not ask before changing what the preview shows
  --dry-run                  print every command and run none
END
}

readonly pseudonym_secret=pseudonym-key remember_secret=remember-key # as infra/modules names them
# What the identity is given, https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
declare -rA roles=(
  [b7e6dc6d-f1e8-4753-8033-0f276bb0955b]="Storage Blob Data Owner"
  [0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3]="Storage Table Data Contributor"
  [3913510d-42f4-4e42-8a64-420c390055eb]="Monitoring Metrics Publisher"
  [12338af0-0e69-4776-bea7-57ae8d297424]="Key Vault Crypto User"
  [4633458b-17de-408a-b874-0445c86b69e6]="Key Vault Secrets User"
)
group='' location='' environment='' public_url='' display_name='' tile='' entra=bicep yes=no
while (($#)); do
  case $1 in
    --resource-group) needs_value "$@"; group=$2; shift ;;
    --location) needs_value "$@"; location=$2; shift ;;
    --environment) needs_value "$@"; environment=$2; shift ;;
    --public-url) needs_value "$@"; public_url=$2; shift ;;
    --display-name) needs_value "$@"; display_name=$2; shift ;;
    --tile) needs_value "$@"; tile=$2; shift ;;
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
[[ $tile =~ ^[A-Za-z0-9_-]{0,64}$ ]] || stop "--tile must be the client id of an application."
[[ -z $public_url ]] || is_address "$public_url" ||
  stop "--public-url must be an address such as https://sso.example.com, without a slash at its end."
if [[ -z $display_name ]]; then display_name="Azure SSO$([[ $environment = prod ]] || echo " ($environment)")"; fi
subscription='' tenant='' user='' user_type='' login='' graph='' principal_id='' app='' vault='' client_id=''
parameters=infra/$environment.parameters.json
deployment=azure-sso-$environment

# -- the parts ---------------------------------------------------------------------------------------------------------

# The address of something in the resource group, for az rest.
arm() { echo "/subscriptions/$subscription/resourceGroups/$group$1?api-version=$2"; }

make_identity() {
  local own_url=() url=${public_url:-https://<functionAppName>.azurewebsites.net}
  [[ -z $public_url ]] || own_url=(publicUrl="$public_url")
  ask $'<identityPrincipalId>\n<functionAppName>\n<keyVaultName>\n'"$url" \
    az deployment group create --resource-group "$group" --name "$deployment-identity" \
    --template-file infra/identity.bicep \
    --parameters environmentName="$environment" location="$location" "${own_url[@]}" \
    --query 'properties.outputs.[identityPrincipalId.value, functionAppName.value, keyVaultName.value, publicUrl.value]' \
    --output tsv || failed "The managed identity cannot be made."
  into principal_id app vault public_url
  say "The service will run as the identity $principal_id and answer at $public_url."
}

register_by_bicep() {
  local with_tile=()
  [[ -z $tile ]] || with_tile=(tileApplication="$tile")
  ask_patiently '<clientId>' az deployment group create --resource-group "$group" --name "$deployment-entra" \
    --template-file infra/entra.bicep \
    --parameters publicUrl="$public_url" identityPrincipalId="$principal_id" displayName="$display_name" \
    "${with_tile[@]}" --query properties.outputs.clientId.value --output tsv ||
    failed "The app registration cannot be made by Bicep. --entra script makes it without the Graph extension."
  client_id=$answer
}

register_by_script() {
  local line dry=() known=() with_tile=()
  [[ -z $tile ]] || with_tile=(--tile "$tile")
  [[ $dry_run = no ]] || dry=(--dry-run)
  # Which registration is this service's, only the service itself can tell: a name proves nothing.
  look_for '' az functionapp config appsettings list --resource-group "$group" --name "$app" \
    --query "[?name=='SSO_ENTRA_CLIENT_ID'].value | [0]" --output tsv
  [[ -z $answer ]] || known=(--client-id "$answer")
  while IFS= read -r line; do # what it says is shown as it comes; its last line is the client id
    printf '%s\n' "$line"
    client_id=$line
  done < <(infra/entra.sh --display-name "$display_name" --public-url "$public_url" \
    --identity-principal-id "$principal_id" "${with_tile[@]}" "${known[@]}" "${dry[@]}")
  wait $! || exit 1 # it has said why
}

check_registration() {
  local pause
  client_id=$entra
  for pause in 15 30 ''; do # its owner may have made the credential a moment ago
    ask "$principal_id" az ad app federated-credential list --id "$client_id" --query '[].subject' --output tsv ||
      failed "The app registration $client_id cannot be read."
    if grep -qx "$principal_id" <<<"$answer"; then return; fi
    [[ -n $pause ]] || break
    say "It does not show that it trusts the identity of this service. Looking again in $pause s."
    sleep "$pause"
  done
  stop "The app registration $client_id does not trust the identity of this" \
    "service. Have its owner run: $(quoted infra/entra.sh --client-id "$client_id" --display-name "$display_name" \
      --public-url "$public_url" --identity-principal-id "$principal_id")"
}

# A secret that is there stays: another pseudonym key would break the thread of the logs, and with another remember key
# nobody would be remembered. The vault is asked and not the app, which somebody may have deleted; Resource Manager answers
# without a right to read the secret.
lacks_secret() {
  look_for '' az rest --method get --query name --output tsv \
    --url "$(arm "/providers/Microsoft.KeyVault/vaults/$vault/secrets/$1" 2023-07-01)"
  if [[ -n $answer ]]; then lacks=false; else lacks=true; fi
}

find_secrets() {
  local lacks
  lacks_secret "$pseudonym_secret"
  create_pseudonym=$lacks
  lacks_secret "$remember_secret"
  create_remember=$lacks
}

explain_and_stop() {
  case $(complaint) in
    *"deleted state"* | *VaultAlreadyExists*)
      stop "The Key Vault of an earlier deployment still holds its name: it is soft-deleted, and its purge protection" \
        "keeps it for 90 days. Bring it back with its keys, and run this again:" \
        "$(quoted az keyvault recover --name "$vault" --location "$location" --resource-group "$group")" ;;
    *) failed "$1" ;;
  esac
}

deploy_service() {
  local what=(--resource-group "$group" --name "$deployment" --template-file infra/main.bicep
    --parameters "@$parameters" location="$location" publicUrl="$public_url" entraClientId="$client_id"
    createPseudonymKey="$create_pseudonym" createRememberKey="$create_remember")
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
  [[ $(complaint) = *"Checking the health"* || $(complaint) = *"Deployment was successful"* ]] || failed "The package was not taken."
  say "az doubts that the app is well. The package is deployed, though: the app itself is asked next."
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
find_secrets
deploy_service

step "5/7 The roles of the identity"
await_roles

step "6/7 The package"
publish

step "7/7 The service's own word: its parts, a token from Entra, and a cookie"
check_health
check_cookies

if [[ $dry_run = yes ]]; then
  step "Nothing was run."
else
  step "The service is well at $public_url. Its client id is $client_id."
fi

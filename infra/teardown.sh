#!/usr/bin/env bash
# Deletes a resource group with everything in it. It says what is lost, and wants the group's name typed in.
set -euo pipefail
# shellcheck source=infra/az.sh
source "$(dirname "$0")/az.sh"

usage() {
  cat <<'END'
Usage: infra/teardown.sh --resource-group RG [--delete-registration] [--yes] [--dry-run]

  --resource-group RG      what to delete, with everything in it
  --delete-registration    also the app registration: no customer can sign in through it any more
  --yes                    do not ask
  --dry-run                print every command and run none
END
}

group='' registration=no yes=no
while (($#)); do
  case $1 in
    --resource-group) needs_value "$@"; group=$2; shift ;;
    --delete-registration) registration=yes ;;
    --yes) yes=yes ;;
    --dry-run) dry_run=yes ;;
    --help) usage; exit ;;
    *) stop "There is no option $1. See infra/teardown.sh --help." ;;
  esac
  shift
done
[[ -n $group ]] || stop "--resource-group is needed. See infra/teardown.sh --help."
[[ $yes = yes || $dry_run = yes || -t 0 ]] || stop "Nobody is here to confirm. Run this in a terminal, or with --yes."

step "What is in $group"
ask '<user>' az account show --query user.name --output tsv || failed "The signed-in account cannot be read."
say "As $answer."
if ! run az resource list --resource-group "$group" --query '[].{type: type, name: name}' --output table; then
  [[ $(complaint) != *ResourceGroupNotFound* ]] || stop "There is no resource group $group. Nothing is to be deleted."
  failed "The resource group cannot be read."
fi

client_ids=()
if [[ $registration = yes ]]; then
  ask '<functionAppName>' az functionapp list --resource-group "$group" --query '[].name' --output tsv ||
    failed "The function apps cannot be read."
  for app in $answer; do
    ask '<clientId>' az functionapp config appsettings list --resource-group "$group" --name "$app" \
      --query "[?name=='SSO_ENTRA_CLIENT_ID'].value | [0]" --output tsv || failed "The settings of $app cannot be read."
    [[ -z $answer ]] || client_ids+=("$answer")
  done
  ((${#client_ids[@]})) || stop "No app in $group names an app registration. Run this without --delete-registration," \
    "and delete the registration in the portal."
fi

step "What is lost"
say "The tables: every account, connection, policy, exception, link and audit record. There is no way back but a copy:"
say "make export writes one."
say "The Key Vault stays soft-deleted for 90 days and keeps its name; az keyvault recover brings it and its keys back."
if [[ $registration = yes ]]; then
  say "The app registration ${client_ids[*]}: customers must consent anew to another one. Entra keeps it for 30 days."
else
  say "The app registration stays, and with it what customers have consented to."
fi

if [[ $yes = no && $dry_run = no ]]; then
  read -rp $'\n  Type the name of the resource group to delete it: ' reply
  [[ $reply = "$group" ]] || stop "That is not its name. Nothing was deleted."
fi

step "Deleting, which takes some minutes"
run az group delete --name "$group" --yes || failed "The resource group cannot be deleted."
for client_id in "${client_ids[@]}"; do
  run az ad app delete --id "$client_id" ||
    failed "The resource group is gone, but the app registration $client_id is not."
done
step "$(if [[ $dry_run = yes ]]; then echo "Nothing was run."; else echo "It is gone."; fi)"

# shellcheck shell=bash disable=SC2034,SC2154 # deploy.sh, which sources this, knows what was asked for
# Stage 1 of deploy.sh: may this go well? Checks that are made before anything is changed, so that what is bound to fail
# fails at once and with a sentence. A check that cannot be made is said and passed. Sourced by deploy.sh, not run.

readonly oldest_az=2.60.0               # the first that knows Flex Consumption
readonly oldest_bicep=0.36.1            # the first that knows the Microsoft Graph extension
# Those of the Bicep. Besides, Microsoft.App runs Flex Consumption, and Application Insights makes a rule of its own in
# Microsoft.AlertsManagement (https://learn.microsoft.com/azure/azure-functions/flex-consumption-how-to).
readonly providers=(Microsoft.AlertsManagement Microsoft.App Microsoft.EventGrid Microsoft.Insights Microsoft.KeyVault
  Microsoft.ManagedIdentity Microsoft.Network Microsoft.OperationalInsights Microsoft.Storage Microsoft.Web)
# Who may make app registrations: Global, Application and Cloud Application Administrator, Application Developer,
# https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference
readonly registrars=(62e90394-69f5-4237-9190-012177145e10 9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3
  158c047a-c907-4556-b7ef-446551a6b5f7 cf1c38e5-3621-4004-a7cb-879624dced7a)

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
  see "your rights in the resource group" '*|' az rest --method get \
    --url "$(arm /providers/Microsoft.Authorization/permissions 2022-04-01)" \
    --query "value[].join('|', [join(',', actions), join(',', notActions)])" --output tsv || return 0
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

# Like `ask`, for what a check wants to know. What it cannot see, it does not stop: whoever runs this finds out later,
# where it matters, and hears then what to do.
see() {
  local what=$1
  shift
  if ask "$@"; then return; fi
  say "You cannot see $what. That is not checked."
  return 1
}

check_directory_rights() {
  if [[ $user_type != user ]]; then
    say "A service principal is signed in: whether it may make app registrations is not checked."
    return
  fi
  # A cast is an advanced query: https://learn.microsoft.com/graph/aad-advanced-queries
  see "your roles in the directory" "${registrars[0]}" az rest --method get --headers ConsistencyLevel=eventual --url \
    "$graph/v1.0/me/transitiveMemberOf/microsoft.graph.directoryRole?\$count=true&\$select=roleTemplateId" \
    --query 'value[].roleTemplateId' --output tsv || return 0
  if grep -qF "$(printf '%s\n' "${registrars[@]}")" <<<"$answer"; then return; fi
  see "the directory's policy on app registrations" true az rest --method get \
    --url "$graph/v1.0/policies/authorizationPolicy" \
    --query defaultUserRolePermissions.allowedToCreateApps --output tsv || return 0
  # Roles that a directory has made for itself are not seen here, so that this stops nobody.
  [[ ${answer,,} = true ]] || say "It seems that you may not make app registrations in this directory. If that is so," \
    "step 3 will end with what to do."
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

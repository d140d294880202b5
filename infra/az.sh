# shellcheck shell=bash disable=SC2034 # the scripts that source this read `answer`
# How the scripts of this folder speak, with the operator and with az. Sourced by them, not run.
#
# Every command goes through `run` or `ask`. So --dry-run can print each, ready to be pasted, and run none; and what az
# complains of is kept, and reaches the operator as a sentence that says what to do. Secrets pass through neither.

if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404)); then
  echo "This needs bash 4.4 or newer. On a Mac: brew install bash." >&2
  exit 1
fi

dry_run=no
answer=
kept=$(mktemp)
trap 'rm -f "$kept"' EXIT
export AZURE_CORE_NO_COLOR=true        # colours would end up inside the complaints
export AZURE_CORE_ONLY_SHOW_ERRORS=false # and pipelines hide the warnings by which the complaints are told apart

step() { printf '\n%s\n' "$*"; }
say() { printf '  %s\n' "$*"; }

stop() {
  printf '\n%s\n' "$*" >&2
  exit 1
}

# Called with what is left of the options: the first one's value must be there.
needs_value() { [[ -n ${2:-} && $2 != --* ]] || stop "$1 needs a value. See infra/${0##*/} --help."; }

# The words of a command as a shell would take them, quoted only where they must be.
quoted() {
  local word line=
  for word in "$@"; do
    if [[ ! $word =~ ^[A-Za-z0-9_@%+=:,./-]+$ ]]; then
      case $word in
        *[\"\$\`\\!]* | *$'\n'*) word=${word@Q} ;;
        *\'*) word=\"$word\" ;;
        *) word=\'$word\' ;;
      esac
    fi
    line+=" $word"
  done
  printf '%s\n' "${line# }"
}

# Runs a command and shows what it prints; its complaints are kept.
run() {
  if [[ $dry_run = yes ]]; then quoted "$@"; else "$@" 2>"$kept"; fi
}

# Runs a command and puts what it prints into `answer`; in a dry run that is the first argument.
ask() {
  local instead=$1
  shift
  answer=$instead
  if [[ $dry_run = yes ]]; then quoted "$@"; else answer=$("$@" 2>"$kept"); fi
}

complaint() { cat "$kept"; }

# Puts the lines of the answer into variables of these names.
into() {
  local name
  for name in "$@"; do
    # shellcheck disable=SC2229 # the variable of that name is meant
    if ! read -r "$name" || [[ -z ${!name} || ${!name} = None ]]; then
      stop "az does not tell the $name that it was asked for. Run az upgrade, and this again."
    fi
  done <<<"$answer"
}

# A string of JSON; one without control characters.
json() {
  local text=${1//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}

# Whether this is the address of a service: https, or http on this machine, without a slash at its end.
is_address() { [[ $1 =~ ^(https://|http://(localhost|127\.0\.0\.1)(:|/|$))[^\ ]*[^/\ ]$ ]]; }

# Ends with what the kept complaint means; if nobody foresaw it, with what could not be done and az's own words.
failed() {
  local meaning
  meaning=$(meaning_of "$(complaint)")
  [[ -z $meaning ]] || stop "$meaning"
  stop "$1 az says:
$(complaint | grep -v '^WARNING' | tail -n 20 | sed 's/^/  | /')"
}

# Like `ask`, but again after a while as long as Entra merely has not told all its replicas of what was just made.
ask_patiently() {
  local pause
  for pause in 15 30 60 120; do
    if ask "$@"; then return; fi
    is_replication "$(complaint)" || return 1
    say "Entra has not spread the news of what was just made. Again in $pause s."
    sleep "$pause"
  done
  ask "$@"
}

# Like `ask`, but what is not there is no failure: the answer is empty then.
look_for() {
  if ask "$@"; then return; fi
  case $(complaint) in
    *NotFound* | *"not found"* | *"Unable to find"*) answer= ;;
    *) failed "Whether this was deployed before cannot be seen." ;;
  esac
}

# https://learn.microsoft.com/graph/templates/bicep/known-issues-graph-bicep and msgraph-bicep-types issues 193, 271
is_replication() {
  case $1 in
    *"does not exist or one of its queried reference-property objects"* | *Request_ResourceNotFound* | \
      *NoBackingApplicationObject* | *"does not reference a valid application object"* | *PrincipalNotFound* | \
      *Directory_ConcurrencyViolation*) true ;;
    *) false ;;
  esac
}

readonly refused_by_flex='ftpsState|alwaysOn|use32BitWorkerProcess|netFrameworkVersion|linuxFxVersion|'\
'preWarmedInstanceCount|vnetRouteAllEnabled|functionsRuntimeScaleMonitoringEnabled'

# What a complaint of az means and who must do what; nothing if it is none of those that are known to happen.
meaning_of() {
  local refused
  case $1 in
    *"az: command not found"*)
      echo "az is needed and not found. Install it: https://learn.microsoft.com/cli/azure/install-azure-cli" ;;
    *"az login"* | *AADSTS50173* | *AADSTS70043* | *AADSTS700082*)
      echo "Nobody is signed in to Azure, or no longer. Run: az login" ;;
    *RoleAssignmentUpdateNotPermitted*)
      echo "Role assignments of an identity that is gone stand in the way. In the portal, open Access control (IAM)" \
        "of the resource group, remove what is assigned to \"Identity not found\", and run this again." ;;
    *roleAssignments/write*)
      echo "You may not assign roles in this resource group. Ask its owner for the role Owner, or for Contributor" \
        "together with Role Based Access Control Administrator, and run this again." ;;
    *AuthorizationFailed*)
      echo "You lack a right in this resource group. Ask its owner for the role Owner, or for Contributor together" \
        "with Role Based Access Control Administrator, and run this again." ;;
    # The code and no digits of an id: microsoft/azure-pipelines-tasks issue 21032. Azure writes names in either case.
    *[!0-9A-Za-z-]51021[!0-9A-Za-z-]* | *[!0-9A-Za-z-]51021)
      refused=$(grep -oiwE "$refused_by_flex" <<<"$1" | sort -u | paste -sd ' ')
      echo "Flex Consumption refuses a property of the function app's siteConfig:" \
        "${refused:-$(grep -F -m 1 51021 <<<"$1")}. Your parameters are not at fault: take it out of" \
        "infra/modules/function-app.bicep, and run this again." ;;
    *"unrecognized arguments"* | *"is misspelled or not recognized"* | *"the following arguments are required"*)
      echo "This az does not know what it is asked for. Run az upgrade, and this again." ;;
    *"ongoing deployment"*)
      echo "Another package is being deployed. Wait until that has ended, and run this again." ;;
    *authorized\ to\ call\ Microsoft\ Graph* | *microsoftgraph/v1.0* | *microsoftGraphV1* | *ExtensionNotFound* | \
      *ExtensibilityNotEnabled* | *BCP192* | *BCP204* | *BCP407*)
      echo "The Microsoft Graph extension of Bicep cannot be used here. Make the app registration without it: run" \
        "this again with --entra script." ;;
    *Authorization_RequestDenied* | *"Insufficient privileges"*)
      echo "You may not make app registrations in this directory. Ask for the role Application Administrator and run" \
        "this again; or have somebody who has it run infra/entra.sh, and hand its client id to --entra." ;;
    *MissingSubscriptionRegistration* | *NoRegisteredProviderFound*)
      echo "The subscription lacks a resource provider. Ask its owner to run az provider register, with the namespace" \
        "that az names: $(grep -oE "Microsoft\.[A-Za-z]+" <<<"$1" | sort -u | paste -sd ' ')" ;;
    *StorageAccountAlreadyTaken* | *"Website with given name"* | *"Please select a different name"*)
      echo "A name that this deployment needs is taken by somebody else in Azure. Names follow from the resource" \
        "group: deploy into a group of another name." ;;
    *quota* | *Quota*)
      echo "The subscription's quota for Flex Consumption in this region is used up. Ask Azure support for more, or" \
        "choose another region." ;;
    *DeploymentActive*)
      echo "Another run of this deployment is still under way. Wait until it has ended, and run this again." ;;
    *ScopeLocked*)
      echo "A lock protects this resource group. az lock list shows it; remove it if you mean to go on." ;;
    *"ERROR: "*certificate* | *"Max retries exceeded"* | *"Failed to establish a new connection"*)
      echo "Azure cannot be reached from here. Check the network and the proxy (HTTPS_PROXY), and run this again." ;;
  esac
}

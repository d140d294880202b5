# shellcheck shell=bash disable=SC2154 # what deploy.sh knows by now: the app, its address, its registration
# Stage 7 of deploy.sh: whether the deployed service is well. It asks the service itself, for each of its parts and for a
# real cookie, because az stops at "deployed". Sourced by deploy.sh, not run.

# What an unhealthy part means, and what to do.
advice_on() {
  case $1 in
    storage)
      echo "The tables cannot be reached. A role that was just assigned can take ten minutes to count: run this" \
        "again then." ;;
    signingKeys)
      echo "Key Vault cannot be reached. A role that was just assigned can take ten minutes to count: run this" \
        "again then." ;;
    cookies)
      echo "The runtime writes a domain into our cookies, which browsers refuse. The package does not match the" \
        "runtime of the function app: see its log, and SECURITY.md on cookies." ;;
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

faulty_settings() { grep -oE '"field":"[^"]+"' <<<"$1" | cut -d '"' -f 4; }

# Flex Consumption has no log stream of its own.
readonly where_the_log_is="Why, its log says: see \"The app does not start\" in docs/operations.md."

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
      *'"status":"misconfigured"'*) refresh_references "$(faulty_settings "$body")" "$pause" ;;
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
    404) stop "The app runs without functions: its code could not be imported, or the package is not there yet." \
      "$where_the_log_is" ;;
    000) stop "Nobody answers at $public_url/health. If this is a custom domain or Front Door, let it lead to" \
      "https://$app.azurewebsites.net first, and run this again. curl says: $(complaint)" ;;
    *) stop "$public_url/health answers $status. $where_the_log_is" ;;
  esac
}

# An app that starts before its role on the vault counts is handed its Key Vault references as they are written, and
# keeps them so until they are refreshed: https://learn.microsoft.com/azure/app-service/app-service-key-vault-references
# Returns if refreshing was worth a try; ends if a setting is wrong for another reason, or the patience is used up.
refresh_references() {
  local faulty=$1 pause=$2 references setting wrong=() waiting=()
  references=$(arm "/providers/Microsoft.Web/sites/$app/config/configreferences/appsettings" 2024-11-01)
  ask '' az rest --method get --url "$references" --query "value[?properties.status!='Resolved'].id" --output tsv ||
    answer=
  for setting in $faulty; do
    if grep -qE "/$setting\$" <<<"$answer"; then waiting+=("$setting"); else wrong+=("$setting"); fi
  done
  ((${#wrong[@]} == 0)) || stop "The service says that settings are wrong: ${wrong[*]}. Correct them in $parameters, or" \
    "see $public_url/health, and run this again."
  [[ -n $pause ]] || stop "Key Vault does not hand these settings to the app: ${waiting[*]}. Check that the app's" \
    "identity has the role Key Vault Secrets User and that the vault's firewall admits the app, and run this again."
  say "Key Vault references are not resolved yet: ${waiting[*]}. Azure is asked to resolve them again."
  ask '' az rest --method post --url "${references/\?//refresh?}" --output none ||
    say "It cannot be asked to; they are resolved within a day, or at the next deployment."
}

# A check inside the app cannot see what Azure's front end, or a proxy before it, adds to a cookie.
check_cookies() {
  local pause='' headers='' line cookies=()
  if [[ $dry_run = yes ]]; then
    quoted curl --silent --show-error --max-time 30 --dump-header - --output /dev/null "$public_url/health/cookie"
    return
  fi
  for pause in 5 10 20 30 60 ''; do # an instance with the code of before may still answer
    headers=$(curl --silent --show-error --max-time 30 --dump-header - --output /dev/null \
      "$public_url/health/cookie" 2>"$kept") || true
    mapfile -t cookies < <(tr -d '\r' <<<"$headers" | grep -iE '^set-cookie:[[:space:]]*__(host|secure)-')
    if ((${#cookies[@]})); then break; fi
    [[ -n $pause ]] || stop "$public_url/health/cookie answers without the service's cookie. Whoever runs what stands in" \
      "front of the app must let /health/cookie and Set-Cookie through, for sign-ins need cookies."
    say "No cookie yet. Asking again in $pause s."
    sleep "$pause"
  done
  for line in "${cookies[@]}"; do check_cookie "$line"; done
}

# Called with one Set-Cookie line. Cookies of others, such as Azure's own for affinity, may have a domain.
check_cookie() {
  local attributes attribute key value name domain='' host=${public_url#*://}
  host=${host%%[/:]*}
  IFS=';' read -ra attributes <<<"${1#*:}"
  name=${attributes[0]%%=*}
  name=${name//[[:space:]]/}
  for attribute in "${attributes[@]:1}"; do
    [[ $attribute = *=* ]] || continue
    key=${attribute%%=*} value=${attribute#*=}
    key=${key//[[:space:]]/} value=${value//[[:space:]]/}
    if [[ ${key,,} = domain && -n $value ]]; then domain=${value#.}; fi # an empty one is none, say browsers
  done
  [[ -n $domain ]] || return 0
  if [[ .${host,,} != *".${domain,,}" ]]; then
    stop "The cookie $name reaches browsers with the domain $domain, but people come to $host: no browser takes it, and" \
      "nobody can sign in. Whoever runs what stands in front of the app must take Domain out of Set-Cookie, or bind" \
      "$host to the function app itself and keep the host name. No setting of the service can help."
  fi
  if [[ ${name,,} = __host-* ]]; then
    stop "The cookie $name reaches browsers with the domain $domain, which no browser takes of a __Host- cookie, so nobody" \
      "can sign in. If a proxy or gateway adds Domain to Set-Cookie, whoever runs it must take that out. If Azure" \
      "itself does, the operator has one way on: \"cookiePrefix\": { \"value\": \"__Secure-\" } in $parameters," \
      "and this again. That gives up that nobody but $host can set these cookies; read what it" \
      "means in SECURITY.md first."
  fi
  say "Cookies carry the domain $domain and the weaker prefix __Secure-, as the operator has set it."
}

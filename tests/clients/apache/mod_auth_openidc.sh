#!/bin/sh
# Apache becomes another user, who may read neither this folder nor the certificate.
set -eu
mkdir "$SCRATCH/www"
echo 'Signed in as <!--#echo var="OIDC_CLAIM_email" -->' >"$SCRATCH/www/index.html"
cp "$SSL_CERT_FILE" "$SCRATCH/ca.pem"
chmod -R a+rX "$SCRATCH"
exec apache2 -DFOREGROUND -f "$(dirname "$0")/mod_auth_openidc.conf"

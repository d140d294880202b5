// What infra/deploy.sh hands to stage 2.

using '../entra.bicep'

param publicUrl = 'https://sso.vendor.example'
param identityPrincipalId = '5e110000-0000-4000-8000-0000000001d0'
param displayName = 'Azure SSO'

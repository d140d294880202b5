// What infra/deploy.sh hands to stage 1 in prod.

using '../identity.bicep'

param environmentName = 'prod'
param publicUrl = 'https://sso.vendor.example'

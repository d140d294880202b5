// Stage 1 of 3: the identity, and the names that follow from where this is deployed. entra.bicep needs both, and main.bicep
// needs what entra.bicep makes.

import { clouds, nameOf, withoutSlash } from 'modules/names.bicep'

@description('Which of the environments this is. It is part of every name.')
@allowed(['dev', 'prod'])
param environmentName string

@description('The region of the identity.')
param location string = resourceGroup().location

@description('Where the world reaches the service, if that is not the function app\'s own address: a custom domain, or Front Door. Such as https://sso.example.')
param publicUrl string = ''

var identityName = nameOf('id', environmentName, resourceGroup().id)
var functionAppName = nameOf('func', environmentName, resourceGroup().id)

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: {
    name: identityName
    location: location
  }
}

@description('The object id of the identity: the subject of the federated credential.')
output identityPrincipalId string = identity.outputs.principalId

@description('The name that the function app will have.')
output functionAppName string = functionAppName

@description('The name that the vault will have. infra/deploy.sh looks there for a pseudonym key of an earlier deployment.')
output keyVaultName string = nameOf('kv', environmentName, resourceGroup().id)

@description('Where the world will reach the service.')
output publicUrl string = empty(publicUrl)
  ? 'https://${functionAppName}.${clouds[environment().name].websites}'
  : withoutSlash(publicUrl)

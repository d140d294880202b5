// Stage 3 of 3: everything but the identity (identity.bicep) and the app registration (entra.bicep), which this names.
// infra/deploy.sh runs all three in turn. Running it again changes nothing that has not changed here.

import { clouds, nameOf, storageNameOf, withoutSlash } from 'modules/names.bicep'

@description('Which of the environments this is. It is part of every name.')
@allowed(['dev', 'prod'])
param environmentName string

@description('The region of everything.')
param location string = resourceGroup().location

@description('Where the world reaches the service, if that is not the function app\'s own address: a custom domain, or Front Door. Such as https://sso.example.')
param publicUrl string = ''

@description('The client id of the app registration that entra.bicep makes.')
@minLength(36)
@maxLength(36)
param entraClientId string

@description('The tenant of that app registration.')
@minLength(36)
@maxLength(36)
param entraTenantId string = tenant().tenantId

@description('The issuer of the control panel\'s access tokens, to the letter.')
@minLength(9)
param controlPanelIssuer string

@description('The audience that the control panel\'s access tokens name for this service.')
@minLength(1)
param controlPanelAudience string

@description('Addresses below which a browser may return after an integration, such as https://panel.example/.')
@maxLength(50)
param returnUrls string[]

@description('Origins of control panels and other web pages that may call the API, such as https://panel.example. * is all. None, if only servers call it.')
@maxLength(50)
param allowedOrigins string[] = []

@description('The vendor\'s name on the pages that people see. Empty: none.')
@maxLength(60)
param vendorName string = ''

@description('The vendor\'s logo instead of its name, as a data: URL such as data:image/png;base64,... of 7 KB at most. Empty: the name.')
param vendorLogo string = ''

@description('The colour of buttons and links on these pages, such as #0b5cad. Empty: that one.')
param vendorColour string = ''

@description('How many days events stay in audit trails, 30 at least. 0: for ever.')
@minValue(0)
@maxValue(36500)
param trailDays int = 0

@description('After how many days without a sign-in a link is removed, 30 at least. 0: never.')
@minValue(0)
@maxValue(36500)
param unusedLinkDays int = 0

@description('Whether keys of a day sign, for more than 100 sign-ins a second. docs/decisions/0038 says what an attacker gains.')
param envelopeSigning bool = false

@description('How the names of cookies begin. __Secure- gives up a defence: SECURITY.md says which, and when to.')
@allowed(['__Host-', '__Secure-'])
param cookiePrefix string = '__Host-'

@description('Who is told when an alert is raised.')
@minLength(3)
param alertEmail string

@description('Whether everything outlives the loss of a datacenter. The region must have zones; it cannot be changed later.')
param zoneRedundant bool = false

@description('Instances that never go away, for HTTP: without one, the first person after a pause waits for a cold start.')
@minValue(0)
@maxValue(100)
param alwaysReadyInstances int = 1

@description('The most instances there may be. It bounds what a flood can cost.')
@minValue(1)
@maxValue(1000)
param maximumInstances int = 100

@description('Memory of an instance, in MB. 2048 comes with one CPU, which one Python process fills.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Requests that an instance works on at the same time. They wait more than they compute: measured, 16 to 32 storage calls at once fill one process. A request that waits for a slow Entra holds its place for up to 5 seconds.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 32

@description('Whether instances are replaced in batches when the app changes. A preview that Microsoft does not recommend for production; without it all of them restart at once, and requests under way are cut off. It needs two instances.')
param rollingUpdate bool = false

@description('Whether the workspace keeps what host and app write to their console. It shows why an app does not start, and tells most of Application Insights again, at some 6.5 kB a sign-in.')
param platformLogs bool = false

@description('Whether storage and vault are reached through a virtual network only.')
param privateNetworking bool = false

@description('Whether to make the secret that keys the hash of emails in logs. Only a first deployment must: a new one cuts the thread through the logs.')
param createPseudonymKey bool

@description('The secret, if it is made. Let it be drawn.')
@secure()
param newPseudonymKey string = '${newGuid()}${newGuid()}'

@description('Whether to make the secrets that seal what browsers remember. Only a deployment that finds none must: with a new one, nobody is remembered.')
param createRememberKey bool = false

@description('The secret, if it is made. Let it be drawn.')
@secure()
param newRememberKey string = '${newGuid()}${newGuid()}'

var functionAppName = nameOf('func', environmentName, resourceGroup().id)
var address = empty(publicUrl) ? 'https://${functionAppName}.${cloud.websites}' : withoutSlash(publicUrl)
var cloud = clouds[environment().name]

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: nameOf('id', environmentName, resourceGroup().id)
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    workspaceName: nameOf('log', environmentName, resourceGroup().id)
    insightsName: nameOf('appi', environmentName, resourceGroup().id)
    location: location
    principalId: identity.properties.principalId
  }
}

module stateStorage 'modules/state-storage.bicep' = {
  name: 'state-storage'
  params: {
    name: storageNameOf('state', environmentName, resourceGroup().id)
    location: location
    zoneRedundant: zoneRedundant
    privateOnly: privateNetworking
    principalId: identity.properties.principalId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module packageStorage 'modules/package-storage.bicep' = {
  name: 'package-storage'
  params: {
    name: storageNameOf('package', environmentName, resourceGroup().id)
    location: location
    zoneRedundant: zoneRedundant
    privateOnly: privateNetworking
    principalId: identity.properties.principalId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module keyVault 'modules/key-vault.bicep' = {
  name: 'key-vault'
  params: {
    name: nameOf('kv', environmentName, resourceGroup().id)
    location: location
    privateOnly: privateNetworking
    principalId: identity.properties.principalId
    workspaceId: monitoring.outputs.workspaceId
    createPseudonymKey: createPseudonymKey
    newPseudonymKey: newPseudonymKey
    envelopeSigning: envelopeSigning
    createRememberKey: createRememberKey
    newRememberKey: newRememberKey
  }
}

module network 'modules/network.bicep' = if (privateNetworking) {
  name: 'network'
  params: {
    name: nameOf('vnet', environmentName, resourceGroup().id)
    location: location
    stateStorageId: stateStorage.outputs.accountId
    packageStorageId: packageStorage.outputs.accountId
    vaultId: keyVault.outputs.vaultId
  }
}

module functionApp 'modules/function-app.bicep' = {
  name: 'function-app'
  params: {
    name: functionAppName
    planName: nameOf('plan', environmentName, resourceGroup().id)
    location: location
    zoneRedundant: zoneRedundant
    identityId: identity.id
    identityClientId: identity.properties.clientId
    packageStorageName: packageStorage.outputs.accountName
    packagesUrl: packageStorage.outputs.packagesUrl
    insightsConnectionString: monitoring.outputs.connectionString
    workspaceId: monitoring.outputs.workspaceId
    serviceSettings: {
      SSO_PUBLIC_URL: address
      SSO_TABLES_URL: stateStorage.outputs.tablesUrl
      SSO_IDENTITY_CLIENT_ID: identity.properties.clientId
      SSO_ENTRA_CLIENT_ID: entraClientId
      SSO_ENTRA_HOME_TENANT: entraTenantId
      SSO_ENTRA_AUTHORITY: withoutSlash(environment().authentication.loginEndpoint)
      SSO_ENTRA_TOKEN_AUDIENCE: cloud.tokenAudience
      SSO_GRAPH_URL: cloud.graph
      SSO_CONTROL_PANEL_ISSUER: controlPanelIssuer
      SSO_CONTROL_PANEL_AUDIENCE: controlPanelAudience
      SSO_RETURN_URLS: join(returnUrls, ',')
      SSO_VENDOR_NAME: vendorName
      SSO_VENDOR_LOGO: vendorLogo
      SSO_VENDOR_COLOUR: vendorColour
      SSO_COOKIE_PREFIX: cookiePrefix
      SSO_TRAIL_DAYS: trailDays == 0 ? '' : string(trailDays)
      SSO_UNUSED_LINK_DAYS: unusedLinkDays == 0 ? '' : string(unusedLinkDays)
      SSO_SIGNING_KEY_URL: keyVault.outputs.signingKeyUrl
      SSO_WRAPPING_KEY_URL: keyVault.outputs.wrappingKeyUrl
      SSO_PSEUDONYM_KEY: keyVault.outputs.pseudonymKeyReference
      SSO_REMEMBER_KEY: keyVault.outputs.rememberKeyReference
      SSO_REMEMBER_KEY_BEFORE: keyVault.outputs.rememberKeyBeforeReference
    }
    allowedOrigins: allowedOrigins
    alwaysReadyInstances: alwaysReadyInstances
    maximumInstances: maximumInstances
    instanceMemoryMB: instanceMemoryMB
    httpConcurrency: httpConcurrency
    rollingUpdate: rollingUpdate
    platformLogs: platformLogs
    subnetId: privateNetworking ? network!.outputs.appSubnetId : ''
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    environmentName: environmentName
    location: location
    email: alertEmail
    publicUrl: address
    workspaceId: monitoring.outputs.workspaceId
    insightsId: monitoring.outputs.insightsId
    tableServiceId: stateStorage.outputs.tableServiceId
    vaultId: keyVault.outputs.vaultId
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  params: {
    location: location
    workspaceId: monitoring.outputs.workspaceId
  }
}

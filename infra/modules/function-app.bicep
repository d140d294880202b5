// The Flex Consumption plan and the function app. Everything that the app needs of others comes as a parameter, made by
// the module that gives the app its role there: so the roles are assigned before the app first starts.

@description('The name of the function app, which is also the first label of its own address.')
param name string

@description('The name of the plan.')
param planName string

@description('The region.')
param location string

@description('Whether always-ready instances stand in at least two zones of the region.')
param zoneRedundant bool

@description('The resource id of the identity that the app runs as.')
param identityId string

@description('The client id of that identity.')
param identityClientId string

@description('The storage account of the Functions host.')
param packageStorageName string

@description('The container of the deployed package.')
param packagesUrl string

@description('The connection string of Application Insights.')
param insightsConnectionString string

@description('The workspace that keeps the platform\'s own logs.')
param workspaceId string

@description('The settings of the service: every one of shared/settings.py that is not for development.')
param serviceSettings object

@description('Origins of web pages that may call the API.')
param allowedOrigins string[]

@description('Instances that never go away, for HTTP.')
param alwaysReadyInstances int

@description('The most instances there may be.')
param maximumInstances int

@description('Memory of an instance, in MB. The share of a CPU follows from it.')
param instanceMemoryMB int

@description('Requests that an instance works on at the same time.')
param httpConcurrency int

@description('Whether instances are replaced in batches when the app changes, instead of all at once.')
param rollingUpdate bool

@description('Whether the workspace keeps what host and app write to their console, too.')
param platformLogs bool

@description('The subnet that the app leaves by, or empty.')
param subnetId string

// Host storage and telemetry by identity: neither has a key. Nothing else of the host is set, since Flex Consumption takes
// runtime, version and package from functionAppConfig and refuses or ignores the settings of other plans
// (https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations).
// docs/configuration.md says what each is for; docs/decisions/0020-telemetry.md why the instrumentations are off.
var hostSettings = {
  AzureWebJobsStorage__accountName: packageStorageName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY: 'true'
  OTEL_PYTHON_DISABLED_INSTRUMENTATIONS: 'azure_sdk,django,fastapi,flask,httpx,httpx2,psycopg2,requests,urllib,urllib3'
  APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL: 'true'
  APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED: 'true'
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource site 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      remoteDebuggingEnabled: false
      http20Enabled: true
      cors: {
        allowedOrigins: allowedOrigins
        supportCredentials: false
      }
      appSettings: [
        for setting in items(union(serviceSettings, hostSettings)): {
          name: setting.key
          value: setting.value
        }
      ]
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packagesUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        alwaysReady: (alwaysReadyInstances == 0)
          ? []
          : [
              {
                name: 'http'
                instanceCount: alwaysReadyInstances
              }
            ]
        maximumInstanceCount: maximumInstances
        instanceMemoryMB: instanceMemoryMB
        triggers: {
          http: {
            // Without it a Python app is given one request at a time
            // (https://learn.microsoft.com/azure/azure-functions/functions-concurrency#http-trigger-concurrency).
            perInstanceConcurrency: httpConcurrency
          }
        }
      }
      // Not in Bicep's types yet (https://learn.microsoft.com/azure/azure-functions/flex-consumption-site-updates). Said
      // either way, so that it can be taken back.
      #disable-next-line BCP037
      siteUpdateStrategy: {
        type: rollingUpdate ? 'RollingUpdate' : 'Recreate'
      }
    }
  }
}

// Publishing takes a token of Entra, never a password. That is also what keeps FTP shut: Flex Consumption refuses
// siteConfig.ftpsState (https://github.com/microsoft/azure-pipelines-tasks/issues/21032).
resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: site
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource noScmPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: site
  name: 'scm'
  properties: {
    allow: false
  }
}

// What the host says before telemetry is up: why an app has found no functions, say. Once telemetry is up it is all told
// twice, and paid for twice.
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'workspace'
  scope: site
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'FunctionAppLogs'
        enabled: platformLogs
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

// The service's own state: six tables, and nothing else. They have a storage account of their own, so that the Functions
// host, which must own blobs, owns none of it.

@description('The name of the storage account.')
@minLength(3)
@maxLength(24)
param name string

@description('The region.')
param location string

@description('Whether three copies stand in three zones of the region, instead of in one.')
param zoneRedundant bool

@description('Whether only the virtual network reaches it.')
param privateOnly bool

@description('The object id of the identity that reads and writes the tables.')
param principalId string

@description('The workspace that keeps logs and metrics.')
param workspaceId string

// The names of shared/wiring.py: TABLE_NAMES.
var tableNames = [
  'accounts'
  'domains'
  'applications'
  'flows'
  'duties'
  'keys'
]

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  kind: 'StorageV2'
  sku: {
    name: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'
  }
  properties: {
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: privateOnly ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: privateOnly ? 'Deny' : 'Allow'
    }
  }
}

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' = [
  for tableName in tableNames: {
    parent: tableService
    name: tableName
  }
]

resource tableDataContributor 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, principalId, 'Storage Table Data Contributor')
  scope: account
  properties: {
    description: 'The service reads and writes its tables.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
    )
  }
}

// Of the logs only deletions: each resolution reads and each sign-in writes several rows, and who changed what stands in
// the service's own audit trail. The service deletes inside transactions, which are writes, so a line here is somebody else.
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'workspace'
  scope: tableService
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'StorageDelete'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

@description('The resource id of the account.')
output accountId string = account.id

@description('The resource id of its table service, which metrics are about.')
output tableServiceId string = tableService.id

@description('The table endpoint.')
output tablesUrl string = 'https://${account.name}.table.${environment().suffixes.storage}'

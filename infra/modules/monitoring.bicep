// Where logs, counters and requests go, and who may send them: only the service's identity, since the connection string
// alone opens nothing.

@description('The name of the workspace.')
@minLength(4)
@maxLength(63)
param workspaceName string

@description('The name of the Application Insights resource.')
param insightsName string

@description('The region.')
param location string

@description('The object id of the identity that sends.')
param principalId string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: workspaceName
  location: location
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    // As long as Application Insights keeps its tables without a charge.
    retentionInDays: 90
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    IngestionMode: 'LogAnalytics'
    DisableLocalAuth: true
    DisableIpMasking: false
  }
}

resource metricsPublisher 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, principalId, 'Monitoring Metrics Publisher')
  scope: insights
  properties: {
    description: 'The service and its host send telemetry.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      '3913510d-42f4-4e42-8a64-420c390055eb'
    )
  }
}

@description('The resource id of the workspace.')
output workspaceId string = workspace.id

@description('The resource id of the Application Insights resource.')
output insightsId string = insights.id

@description('Where telemetry is sent. It is no secret: without the role nothing is taken.')
output connectionString string = insights.properties.ConnectionString

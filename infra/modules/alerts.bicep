// What wakes somebody up: few rules, each of which means something to do. docs/operations.md says what, by the same names.

import { nameOf } from 'names.bicep'

@description('Which of the environments this is.')
param environmentName string

@description('The region.')
param location string

@description('Who is told.')
param email string

@description('Where the world reaches the service.')
param publicUrl string

@description('The workspace that the queries ask.')
param workspaceId string

@description('The Application Insights resource, which asks for the health.')
param insightsId string

@description('The table service of the state.')
param tableServiceId string

@description('The vault of the signing key.')
param vaultId string

var prefix = nameOf('alert', environmentName, resourceGroup().id)

// Each query gives a row if, and only if, there is something to do.
var queries = [
  {
    name: 'server-errors'
    description: 'More than one request in fifty ends in a server error.'
    severity: 1
    every: 'PT5M'
    over: 'PT15M'
    query: loadTextContent('../queries/server-errors.kql')
  }
  {
    name: 'entra-refuses-service'
    description: 'Entra refuses this service itself. Nobody can sign in until its credential or registration is mended.'
    severity: 0
    every: 'PT5M'
    over: 'PT15M'
    query: loadTextContent('../queries/entra-refuses-service.kql')
  }
  {
    name: 'sign-ins-collapse'
    description: 'Most people who are sent to Microsoft do not come through.'
    severity: 1
    every: 'PT5M'
    over: 'PT30M'
    query: loadTextContent('../queries/sign-ins-collapse.kql')
  }
  {
    name: 'purge-missed'
    description: 'Expired tickets, states and codes were not purged for an hour, or no telemetry arrives.'
    severity: 2
    every: 'PT15M'
    over: 'PT1H'
    query: loadTextContent('../queries/purge-missed.kql')
  }
  {
    name: 'duties-missed'
    description: 'No run of the duties succeeded for half an hour: late notices of sign-out, probes and sweeps wait.'
    severity: 2
    every: 'PT15M'
    over: 'PT30M'
    query: loadTextContent('../queries/duties-missed.kql')
  }
]

// What the metrics of the table service say (https://learn.microsoft.com/azure/storage/tables/monitor-table-storage-reference).
var storageAlerts = [
  {
    name: 'storage-availability'
    description: 'More than one request in a hundred to the tables fails on their side.'
    metric: 'Availability'
    aggregation: 'Average'
    operator: 'LessThan'
    threshold: 99
    dimensions: []
  }
  {
    name: 'storage-throttling'
    description: 'The tables are asked more than they take: 20,000 a second in all, 2,000 for one account.'
    metric: 'Transactions'
    aggregation: 'Total'
    operator: 'GreaterThan'
    threshold: 50
    dimensions: [
      {
        name: 'ResponseType'
        operator: 'Include'
        values: [
          'ServerBusyError'
          'ClientThrottlingError'
          'ClientAccountRequestThrottlingError'
          'ClientAccountBandwidthThrottlingError'
        ]
      }
    ]
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: prefix
  location: 'global'
  properties: {
    groupShortName: 'azure-sso'
    enabled: true
    emailReceivers: [
      {
        name: 'operators'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource queryAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in queries: {
    name: '${prefix}-${rule.name}'
    location: location
    kind: 'LogAlert'
    properties: {
      displayName: rule.name
      description: rule.description
      severity: rule.severity
      // A new workspace has no table of Application Insights until the first telemetry arrives.
      skipQueryValidation: true
      enabled: true
      scopes: [
        workspaceId
      ]
      evaluationFrequency: rule.every
      windowSize: rule.over
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      autoMitigate: true
      actions: {
        actionGroups: [
          people.id
        ]
      }
    }
  }
]

resource metricAlerts 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for rule in storageAlerts: {
    name: '${prefix}-${rule.name}'
    location: 'global'
    properties: {
      description: rule.description
      severity: 1
      enabled: true
      scopes: [
        tableServiceId
      ]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: rule.name
            metricNamespace: 'Microsoft.Storage/storageAccounts/tableServices'
            metricName: rule.metric
            timeAggregation: rule.aggregation
            operator: rule.operator
            threshold: rule.threshold
            dimensions: rule.dimensions
          }
        ]
      }
      autoMitigate: true
      actions: [
        {
          actionGroupId: people.id
        }
      ]
    }
  }
]

// From five places, so that one of them may be at fault itself. `degraded` answers 200 and says which part is down, so the
// words of the answer count, and not only its status.
resource healthTest 'Microsoft.Insights/webtests@2022-06-15' = {
  name: '${prefix}-health'
  location: location
  kind: 'standard'
  tags: {
    'hidden-link:${insightsId}': 'Resource'
  }
  properties: {
    SyntheticMonitorId: '${prefix}-health'
    Name: 'health'
    Description: 'GET /health says that every part answers.'
    Enabled: true
    Frequency: 300
    Timeout: 30
    Kind: 'standard'
    RetryEnabled: true
    Locations: [
      {
        Id: 'emea-nl-ams-azr'
      }
      {
        Id: 'emea-gb-db3-azr'
      }
      {
        Id: 'us-va-ash-azr'
      }
      {
        Id: 'us-ca-sjc-azr'
      }
      {
        Id: 'apac-sg-sin-azr'
      }
    ]
    Request: {
      RequestUrl: '${publicUrl}/health'
      HttpVerb: 'GET'
      ParseDependentRequests: false
      FollowRedirects: false
    }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      ContentValidation: {
        ContentMatch: '"status":"ok"'
        IgnoreCase: false
        PassIfTextFound: true
      }
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 7
    }
  }
}

resource healthAlert 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${prefix}-health'
  location: 'global'
  properties: {
    description: 'The service, or a part of it, does not answer. GET /health names the part.'
    severity: 0
    enabled: true
    scopes: [
      healthTest.id
      insightsId
    ]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: healthTest.id
      componentId: insightsId
      failedLocationCount: 3
    }
    autoMitigate: true
    actions: [
      {
        actionGroupId: people.id
      }
    ]
  }
}

// Key Vault tells by an event what no metric shows (https://learn.microsoft.com/azure/event-grid/handle-key-vault-events-using-azure-monitor-alerts).
resource vaultEvents 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: '${prefix}-vault'
  location: location
  properties: {
    source: vaultId
    topicType: 'Microsoft.KeyVault.vaults'
  }
}

resource signingKeyExpiry 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: vaultEvents
  name: 'signing-key-expiry'
  properties: {
    // The only form that this destination takes.
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: {
      includedEventTypes: [
        'Microsoft.KeyVault.KeyNearExpiry'
        'Microsoft.KeyVault.KeyExpired'
      ]
    }
    destination: {
      endpointType: 'MonitorAlert'
      properties: {
        severity: 'Sev1'
        description: 'signing-key-expiry: the signing key was not rotated when it was due.'
        actionGroups: [
          people.id
        ]
      }
    }
  }
}

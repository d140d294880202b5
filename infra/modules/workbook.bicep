// What operators look at: how people are told to sign in, how far integrations and sign-ins get, and what is refused.

@description('The region.')
param location string

@description('The workspace that the queries ask.')
param workspaceId string

var panels = [
  {
    title: 'Resolutions, by answer and rule'
    query: loadTextContent('../queries/resolutions.kql')
    visualization: 'timechart'
  }
  {
    title: 'Integrations, step by step'
    query: loadTextContent('../queries/connection-funnel.kql')
    visualization: 'barchart'
  }
  {
    title: 'Sign-ins, step by step'
    query: loadTextContent('../queries/sign-in-funnel.kql')
    visualization: 'barchart'
  }
  {
    title: 'Refusals, by reason'
    query: loadTextContent('../queries/refusals.kql')
    visualization: 'table'
  }
  {
    title: 'Accounts in trouble'
    query: loadTextContent('../queries/accounts-in-trouble.kql')
    visualization: 'table'
  }
]

// The form that the portal saves (https://learn.microsoft.com/azure/azure-monitor/visualize/workbooks-automate): 9 is a
// row of parameters, of which 4 is a time range in milliseconds, and 3 is a query, which 0 asks of logs.
var timeRange = {
  type: 9
  name: 'parameters'
  content: {
    version: 'KqlParameterItem/1.0'
    style: 'pills'
    queryType: 0
    parameters: [
      {
        id: guid('azure-sso', 'TimeRange')
        version: 'KqlParameterItem/1.0'
        name: 'TimeRange'
        label: 'Time'
        type: 4
        isRequired: true
        value: {
          durationMs: 86400000
        }
        typeSettings: {
          selectableValues: [
            {
              durationMs: 3600000
            }
            {
              durationMs: 86400000
            }
            {
              durationMs: 604800000
            }
            {
              durationMs: 2592000000
            }
          ]
        }
      }
    ]
  }
}

var charts = [
  for panel in panels: {
    type: 3
    name: panel.title
    content: {
      version: 'KqlItem/1.0'
      title: panel.title
      query: panel.query
      size: 0
      timeContextFromParameter: 'TimeRange'
      queryType: 0
      resourceType: 'microsoft.operationalinsights/workspaces'
      visualization: panel.visualization
    }
  }
]

var notebook = {
  version: 'Notebook/1.0'
  '$schema': 'https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json'
  fallbackResourceIds: [
    workspaceId
  ]
  items: concat([timeRange], charts)
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, workspaceId, 'azure-sso')
  location: location
  kind: 'shared'
  properties: {
    displayName: 'Azure SSO'
    category: 'workbook'
    version: 'Notebook/1.0'
    sourceId: workspaceId
    serializedData: string(notebook)
  }
}

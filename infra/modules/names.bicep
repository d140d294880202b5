// What things are called and where clouds keep them, said once: the first stage tells names that the third one makes.
// Imported, never deployed.

@export()
@description('The name of a thing: the same for the same resource group and environment, and taken by nobody else in the world.')
func nameOf(kind string, environmentName string, resourceGroupId string) string =>
  '${kind}-sso-${environmentName}-${take(uniqueString(resourceGroupId, environmentName), 8)}'

@export()
@description('The name of a storage account, which takes no hyphen.')
func storageNameOf(kind string, environmentName string, resourceGroupId string) string =>
  '${kind}sso${environmentName}${take(uniqueString(resourceGroupId, environmentName), 8)}'

@export()
@description('An address without the slash at its end: paths are joined to it.')
func withoutSlash(address string) string => endsWith(address, '/') ? take(address, length(address) - 1) : address

// What environment() does not tell of a cloud. Sources, in the order of the properties:
// https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure and
// https://learn.microsoft.com/azure/china/resources-developer-guide;
// https://learn.microsoft.com/graph/deployments#microsoft-graph-and-graph-explorer-service-root-endpoints;
// https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity.
@export()
@description('By the name of the cloud: the domain of web apps, Microsoft Graph, and the audience of a federated credential.')
var clouds = {
  AzureCloud: {
    websites: 'azurewebsites.net'
    graph: 'https://graph.microsoft.com'
    tokenAudience: 'api://AzureADTokenExchange'
  }
  AzureUSGovernment: {
    websites: 'azurewebsites.us'
    graph: 'https://graph.microsoft.us'
    tokenAudience: 'api://AzureADTokenExchangeUSGov'
  }
  AzureChinaCloud: {
    websites: 'chinacloudsites.cn'
    graph: 'https://microsoftgraph.chinacloudapi.cn'
    tokenAudience: 'api://AzureADTokenExchangeChina'
  }
}

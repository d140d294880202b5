// Who the service is: to Storage, Key Vault and Application Insights by roles, to Entra as a federated credential. It has
// no secret. It is made before all else, because the app registration must name it.

@description('The name of the identity.')
param name string

@description('The region.')
param location string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
}

@description('Whom role assignments and the federated credential name.')
output principalId string = identity.properties.principalId

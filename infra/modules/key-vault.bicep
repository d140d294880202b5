// The key that signs tokens, which never leaves the vault, and the secrets that there are: what keys the hash that stands
// for an email in logs, and what seals the note by which a browser remembers who signed in with it. Nobody types them, and
// losing them costs nothing but the thread through old logs, and that people are asked for their address once more.

@description('The name of the vault.')
@minLength(3)
@maxLength(24)
param name string

@description('The region.')
param location string

@description('Whether only the virtual network reaches it.')
param privateOnly bool

@description('The object id of the identity that signs, and that reads the secret.')
param principalId string

@description('The workspace that keeps the audit log.')
param workspaceId string

@description('Whether to make the secret. A later deployment must not: it would cut the thread through the logs.')
param createPseudonymKey bool

@description('The secret, if it is made.')
@secure()
param newPseudonymKey string

@description('Whether keys of a day sign, which the signing key certifies and another key seals (decision 38).')
param envelopeSigning bool

@description('Whether to make the secrets that seal what browsers remember. A later deployment must not: nobody would be remembered.')
param createRememberKey bool

@description('The secret that seals, if it is made.')
@secure()
param newRememberKey string

@description('When this is deployed. The life of the first version of the signing key begins then.')
param deployedAt string = utcNow()

var lifetime = 'P180D'

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    enabledForDeployment: false
    enabledForDiskEncryption: false
    enabledForTemplateDeployment: false
    publicNetworkAccess: privateOnly ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: privateOnly ? 'Deny' : 'Allow'
    }
  }
}

// Key Vault adds a version every 90 days; the service publishes it at once and signs with it after 25 hours (decision 12).
// The old one must outlive its last token, and a rotation that fails must leave time to be noticed: 60 days before the
// expiry the vault raises the alert `signing-key-expiry`, which a rotation that works never lets happen. The policy gives
// an expiry only to the versions that it makes, so the first version gets its own here
// (https://learn.microsoft.com/azure/key-vault/keys/how-to-configure-key-rotation). A deployment makes this key once and
// never changes it (https://learn.microsoft.com/azure/templates/microsoft.keyvault/vaults/keys), although what-if shows a
// new expiry each time: change a key that exists with `az keyvault key rotation-policy update` and `set-attributes`.
resource signingKey 'Microsoft.KeyVault/vaults/keys@2024-11-01' = {
  parent: vault
  name: 'signing'
  properties: {
    kty: 'RSA'
    keySize: 2048
    keyOps: [
      'sign'
      'verify'
    ]
    attributes: {
      enabled: true
      exp: dateTimeToEpoch(dateTimeAdd(deployedAt, lifetime))
    }
    rotationPolicy: {
      attributes: {
        expiryTime: lifetime
      }
      lifetimeActions: [
        {
          action: {
            type: 'rotate'
          }
          trigger: {
            timeAfterCreate: 'P90D'
          }
        }
        {
          action: {
            type: 'notify'
          }
          trigger: {
            timeBeforeExpiry: 'P60D'
          }
        }
      ]
    }
  }
}

// It signs nothing. A new version seals what is sealed from then on; versions before it must stay enabled for ten days.
resource wrappingKey 'Microsoft.KeyVault/vaults/keys@2024-11-01' = if (envelopeSigning) {
  parent: vault
  name: 'wrapping'
  properties: {
    kty: 'RSA'
    keySize: 3072
    keyOps: [
      'wrapKey'
      'unwrapKey'
    ]
    attributes: {
      enabled: true
    }
  }
}

resource pseudonymKey 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (createPseudonymKey) {
  parent: vault
  name: 'pseudonym-key'
  properties: {
    contentType: 'text/plain'
    value: newPseudonymKey
  }
}

// The second is the one before the first, whose notes are still read: see the runbook, which replaces both in turn. At
// first both are the same, so that the reference to it resolves.
resource rememberKey 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (createRememberKey) {
  parent: vault
  name: 'remember-key'
  properties: {
    contentType: 'text/plain'
    value: newRememberKey
  }
}

resource rememberKeyBefore 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (createRememberKey) {
  parent: vault
  name: 'remember-key-before'
  properties: {
    contentType: 'text/plain'
    value: newRememberKey
  }
}

// On the vault and not on its keys: listing the versions of a key is asked of the vault, and every key in it is the app's.
resource cryptoUser 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, 'Key Vault Crypto User')
  scope: vault
  properties: {
    description: 'The service lists the versions of its signing key and signs with them.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      '12338af0-0e69-4776-bea7-57ae8d297424'
    )
  }
}

resource secretsUser 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, 'Key Vault Secrets User')
  scope: vault
  properties: {
    description: 'The platform resolves the references to the secrets as this identity.'
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      '4633458b-17de-408a-b874-0445c86b69e6'
    )
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'workspace'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
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

@description('The resource id of the vault.')
output vaultId string = vault.id

@description('The address of the signing key, without a version.')
output signingKeyUrl string = signingKey.properties.keyUri

@description('The address of the wrapping key, without a version; empty if there is none.')
output wrappingKeyUrl string = envelopeSigning ? wrappingKey!.properties.keyUri : ''

@description('What an app setting holds instead of the secret (https://learn.microsoft.com/azure/app-service/app-service-key-vault-references).')
output pseudonymKeyReference string = '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/pseudonym-key)'

@description('The same for the secret that seals what browsers remember.')
output rememberKeyReference string = '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/remember-key)'

@description('The same for the secret before it.')
output rememberKeyBeforeReference string = '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/remember-key-before)'

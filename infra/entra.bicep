// Stage 2 of 3: the multi-tenant app registration, by the Microsoft Graph extension. entra.sh makes the same with the az
// CLI where the extension cannot be used. It has no secret: the managed identity is its federated credential.
// what-if does not show what is done here (https://learn.microsoft.com/graph/templates/bicep/limitations).

extension microsoftGraphV1

import { withoutSlash } from 'modules/names.bicep'

@description('Where the world reaches the service: what identity.bicep tells.')
@minLength(9)
param publicUrl string

@description('The object id of the managed identity: what identity.bicep tells.')
@minLength(36)
@maxLength(36)
param identityPrincipalId string

@description('What customers read on the consent page.')
@minLength(1)
@maxLength(120)
param displayName string

@description('The application, by its client id here, that a tile of Microsoft\'s My Apps opens; it needs an initiateLoginUri. Empty: no tile.')
@maxLength(64)
param tileApplication string = ''

@description('By which a later deployment finds the registration again; it cannot be changed. Name it to keep a registration to which customers have consented when the identity is a new one.')
@minLength(1)
param uniqueName string = 'azure-sso-${uniqueString(resourceGroup().id, identityPrincipalId)}'

@description('The audience of the federated credential. Each sovereign cloud has another one; the extension itself works in the public cloud only.')
@minLength(1)
param tokenAudience string = 'api://AzureADTokenExchange'

var address = withoutSlash(publicUrl)

// Microsoft Graph and what is asked of it (https://learn.microsoft.com/graph/permissions-reference).
var graph = '00000003-0000-0000-c000-000000000000'

// With somebody present: who they are.
var delegatedPermissions = {
  openid: '37f7f235-527c-4136-accd-4a02d197296e'
  profile: '14dad69e-099b-42c9-810b-d002981feec1'
  email: '64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0'
  'User.Read': 'e1fe6dd8-ba31-4d61-89e7-88639da4683d'
}

// With nobody present: the organisation's name and its verified domains.
var applicationPermissions = {
  'Organization.Read.All': '498476ce-e0fe-48b0-b801-37ba7e2685c6'
}

// https://learn.microsoft.com/entra/identity-platform/optional-claims-reference
var optionalClaims = [
  'acct'
  'acrs'
  'auth_time'
  'email'
  'family_name'
  'given_name'
  'login_hint'
  'sid'
  'xms_edov'
]

var scopes = [
  for permission in items(delegatedPermissions): {
    id: permission.value
    type: 'Scope'
  }
]

var roles = [
  for permission in items(applicationPermissions): {
    id: permission.value
    type: 'Role'
  }
]

var idTokenClaims = [
  for claim in optionalClaims: {
    name: claim
    essential: false
  }
]

resource application 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: uniqueName
  displayName: displayName
  signInAudience: 'AzureADMultipleOrgs'
  isFallbackPublicClient: false
  web: {
    homePageUrl: empty(tileApplication) ? null : '${address}/signin/start?application=${tileApplication}'
    redirectUris: [
      '${address}/v1/connect/callback'
      '${address}/signin/callback'
      '${address}/signed-out'
    ]
    logoutUrl: '${address}/signin/front-channel-logout'
    implicitGrantSettings: {
      enableAccessTokenIssuance: false
      enableIdTokenIssuance: false
    }
  }
  requiredResourceAccess: [
    {
      resourceAppId: graph
      resourceAccess: concat(scopes, roles)
    }
  ]
  // So that the ID token says in `wids` whether somebody may consent for their organisation.
  groupMembershipClaims: 'DirectoryRole'
  optionalClaims: {
    idToken: idTokenClaims
  }
  // An address that nobody has verified is no use, and others have been fooled by it
  // (https://learn.microsoft.com/entra/identity-platform/migrate-off-email-claim-authorization).
  authenticationBehaviors: {
    removeUnverifiedEmailClaim: true
  }
  // Nobody can add a credential to what stands for this application in a customer's tenant.
  servicePrincipalLockConfiguration: {
    isEnabled: true
    allProperties: true
  }

  resource managedIdentity 'federatedIdentityCredentials@v1.0' = {
    name: '${application.uniqueName}/managed-identity'
    description: 'The service proves itself with its managed identity.'
    issuer: '${withoutSlash(environment().authentication.loginEndpoint)}/${tenant().tenantId}/v2.0'
    subject: identityPrincipalId
    audiences: [
      tokenAudience
    ]
  }
}

// What stands for the application in its own tenant: deploy.sh asks there for a token, as its proof that the credential works.
resource servicePrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: application.appId
}

@description('The client id of the registration.')
output clientId string = application.appId

"""What only Microsoft's documentation can say, and what keeps each kind of resource shut."""

from collections.abc import Callable, Mapping
from typing import Any

from local.processes import ROOT

type Decided = Callable[[Mapping[str, Any]], Any]
"""From the parameters of a deployment to a value in its plan."""

SCALE = "properties.functionAppConfig.scaleAndConcurrency"

REFUSED_SITE_CONFIG = (
    "ftpsState",
    "alwaysOn",
    "use32BitWorkerProcess",
    "netFrameworkVersion",
    "linuxFxVersion",
    "preWarmedInstanceCount",
    "vnetRouteAllEnabled",
    "functionsRuntimeScaleMonitoringEnabled",
    "functionAppScaleLimit",
    "minimumElasticInstanceCount",
    "pythonVersion",
)
"""What Flex Consumption refuses in `siteConfig`, with 51021 and the name
(https://github.com/microsoft/azure-pipelines-tasks/issues/21032,
https://github.com/Azure/terraform-azurerm-avm-res-web-site/issues/345), or ignores
(https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations)."""

REFUSED_SETTINGS = (
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_PROCESS_COUNT",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "ENABLE_ORYX_BUILD",
    "WEBSITE_",
    "AzureWebJobsStorage:",
    "AzureWebJobsDashboard",
    "APPINSIGHTS_INSTRUMENTATIONKEY",
)
"""The app settings that must not be set on Flex Consumption (the same page), or that hold a key."""

KEYS = ("listKeys(", "accountKey", "AccountKey")

FORBIDDEN = (*REFUSED_SITE_CONFIG, *REFUSED_SETTINGS, *KEYS)
"""Words that stand nowhere in the Bicep and in no plan."""

VERSIONS = {
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.EventGrid/systemTopics": "2025-02-15",
    "Microsoft.EventGrid/systemTopics/eventSubscriptions": "2025-02-15",
    "Microsoft.Graph/applications": "v1.0",
    "Microsoft.Graph/applications/federatedIdentityCredentials": "v1.0",
    "Microsoft.Graph/servicePrincipals": "v1.0",
    "Microsoft.Insights/actionGroups": "2023-01-01",
    "Microsoft.Insights/components": "2020-02-02",
    "Microsoft.Insights/diagnosticSettings": "2021-05-01-preview",
    "Microsoft.Insights/metricAlerts": "2018-03-01",
    "Microsoft.Insights/scheduledQueryRules": "2023-12-01",
    "Microsoft.Insights/webtests": "2022-06-15",
    "Microsoft.Insights/workbooks": "2023-06-01",
    "Microsoft.KeyVault/vaults": "2024-11-01",
    "Microsoft.KeyVault/vaults/keys": "2024-11-01",
    "Microsoft.KeyVault/vaults/secrets": "2024-11-01",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "2024-11-30",
    "Microsoft.Network/privateDnsZones": "2024-06-01",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": "2024-06-01",
    "Microsoft.Network/privateEndpoints": "2024-05-01",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": "2024-05-01",
    "Microsoft.Network/virtualNetworks": "2024-05-01",
    "Microsoft.Network/virtualNetworks/subnets": "2024-05-01",
    "Microsoft.OperationalInsights/workspaces": "2025-02-01",
    "Microsoft.Storage/storageAccounts": "2025-01-01",
    "Microsoft.Storage/storageAccounts/blobServices": "2025-01-01",
    "Microsoft.Storage/storageAccounts/blobServices/containers": "2025-01-01",
    "Microsoft.Storage/storageAccounts/tableServices": "2025-01-01",
    "Microsoft.Storage/storageAccounts/tableServices/tables": "2025-01-01",
    "Microsoft.Web/serverfarms": "2024-11-01",
    "Microsoft.Web/sites": "2024-11-01",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": "2024-11-01",
}

PREVIEWS = {"Microsoft.Insights/diagnosticSettings": "no later version knows category groups, and none is stable"}
"""Versions in preview, and why there is no way round each."""

ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "12338af0-0e69-4776-bea7-57ae8d297424": "Key Vault Crypto User",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
}
"""https://learn.microsoft.com/azure/role-based-access-control/built-in-roles."""

GRAPH = "00000003-0000-0000-c000-000000000000"
"""Microsoft Graph."""

PERMISSIONS = {
    "openid": "37f7f235-527c-4136-accd-4a02d197296e",
    "profile": "14dad69e-099b-42c9-810b-d002981feec1",
    "email": "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0",
    "User.Read": "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
    "Organization.Read.All": "498476ce-e0fe-48b0-b801-37ba7e2685c6",
}
"""https://learn.microsoft.com/graph/permissions-reference. User.Read is the delegated one, Organization.Read.All the
application's."""

CLOSED = {
    "Microsoft.Storage/storageAccounts": {
        "properties.allowSharedKeyAccess": False,
        "properties.allowBlobPublicAccess": False,
        "properties.allowCrossTenantReplication": False,
        "properties.minimumTlsVersion": "TLS1_2",
        "properties.supportsHttpsTrafficOnly": True,
    },
    "Microsoft.Storage/storageAccounts/blobServices/containers": {"properties.publicAccess": "None"},
    "Microsoft.KeyVault/vaults": {
        "properties.enableRbacAuthorization": True,
        "properties.enableSoftDelete": True,
        "properties.enablePurgeProtection": True,
        "properties.enabledForTemplateDeployment": False,
    },
    "Microsoft.OperationalInsights/workspaces": {"properties.features.disableLocalAuth": True},
    "Microsoft.Insights/components": {"properties.DisableLocalAuth": True},
    "Microsoft.Web/serverfarms": {"sku.name": "FC1", "properties.reserved": True},
    "Microsoft.Web/sites": {
        "identity.type": "UserAssigned",
        "properties.httpsOnly": True,
        "properties.siteConfig.minTlsVersion": "1.2",
        "properties.siteConfig.scmMinTlsVersion": "1.2",
        "properties.siteConfig.remoteDebuggingEnabled": False,
        "properties.siteConfig.cors.supportCredentials": False,
        "properties.functionAppConfig.deployment.storage.authentication.type": "UserAssignedIdentity",
        "properties.functionAppConfig.runtime.name": "python",
        "properties.functionAppConfig.runtime.version": (ROOT / ".python-version").read_text("utf-8").strip(),
    },
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": {"properties.allow": False},
    "Microsoft.Graph/applications": {
        "properties.signInAudience": "AzureADMultipleOrgs",
        "properties.groupMembershipClaims": "DirectoryRole",
        "properties.isFallbackPublicClient": False,
        "properties.web.implicitGrantSettings.enableAccessTokenIssuance": False,
        "properties.web.implicitGrantSettings.enableIdTokenIssuance": False,
        "properties.authenticationBehaviors.removeUnverifiedEmailClaim": True,
        "properties.servicePrincipalLockConfiguration.isEnabled": True,
        "properties.servicePrincipalLockConfiguration.allProperties": True,
        "properties.passwordCredentials": None,
        "properties.keyCredentials": None,
    },
    "Microsoft.Graph/applications/federatedIdentityCredentials": {
        "properties.audiences": ["api://AzureADTokenExchange"],
    },
}
"""What keeps each kind of resource shut, or makes it what it must be. None means that it must not be said at all."""

STORES = ("Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults")
"""What private networking closes."""

BEHIND_THE_NETWORK: Mapping[str, Decided] = {
    "properties.publicNetworkAccess": lambda given: "Disabled" if given["privateNetworking"] else "Enabled",
    "properties.networkAcls.defaultAction": lambda given: "Deny" if given["privateNetworking"] else "Allow",
}

FOLLOWS: Mapping[str, Mapping[str, Decided]] = {
    "Microsoft.Web/serverfarms": {"properties.zoneRedundant": lambda given: given["zoneRedundant"]},
    "Microsoft.Web/sites": {
        "properties.siteConfig.cors.allowedOrigins": lambda given: given["allowedOrigins"],
        f"{SCALE}.maximumInstanceCount": lambda given: given["maximumInstances"],
        f"{SCALE}.instanceMemoryMB": lambda given: given["instanceMemoryMB"],
        f"{SCALE}.triggers.http.perInstanceConcurrency": lambda given: given["httpConcurrency"],
        f"{SCALE}.alwaysReady": lambda given: (
            [{"name": "http", "instanceCount": given["alwaysReadyInstances"]}] if given["alwaysReadyInstances"] else []
        ),
        "properties.functionAppConfig.siteUpdateStrategy.type": lambda given: (
            "RollingUpdate" if given["rollingUpdate"] else "Recreate"
        ),
    },
    "Microsoft.Storage/storageAccounts": {
        "sku.name": lambda given: "Standard_ZRS" if given["zoneRedundant"] else "Standard_LRS",
        **BEHIND_THE_NETWORK,
    },
    "Microsoft.KeyVault/vaults": BEHIND_THE_NETWORK,
    "Microsoft.Insights/actionGroups": {
        "properties.emailReceivers": lambda given: [
            {"name": "operators", "emailAddress": given["alertEmail"], "useCommonAlertSchema": True}
        ],
    },
}
"""What a parameter of the deployment decides."""

LOGGED = (
    "Microsoft.Web/sites",
    "Microsoft.KeyVault/vaults",
    "Microsoft.Storage/storageAccounts/tableServices",
    "Microsoft.Storage/storageAccounts/blobServices",
)

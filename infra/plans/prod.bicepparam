// What prod.parameters.json and infra/deploy.sh hand to stage 3.

using '../main.bicep'

var parameters = loadJsonContent('../prod.parameters.json', 'parameters')

param environmentName = parameters.environmentName.value
param controlPanelIssuer = parameters.controlPanelIssuer.value
param controlPanelAudience = parameters.controlPanelAudience.value
param returnUrls = parameters.returnUrls.value
param allowedOrigins = parameters.allowedOrigins.value
param alertEmail = parameters.alertEmail.value
param zoneRedundant = parameters.zoneRedundant.value
param alwaysReadyInstances = parameters.alwaysReadyInstances.value
param maximumInstances = parameters.maximumInstances.value
param rollingUpdate = parameters.rollingUpdate.value
param platformLogs = parameters.platformLogs.value
param privateNetworking = parameters.privateNetworking.value

// These may be left out.
param vendorName = any(parameters).?vendorName.?value ?? ''
param vendorLogo = any(parameters).?vendorLogo.?value ?? ''
param vendorColour = any(parameters).?vendorColour.?value ?? ''
param trailDays = any(parameters).?trailDays.?value ?? 0
param unusedLinkDays = any(parameters).?unusedLinkDays.?value ?? 0
param envelopeSigning = any(parameters).?envelopeSigning.?value ?? false
param cookiePrefix = any(parameters).?cookiePrefix.?value ?? '__Host-'

param publicUrl = 'https://sso.vendor.example'
param entraClientId = 'a5500000-0000-4000-8000-0000000000a5'
param createPseudonymKey = true
param createRememberKey = true

// Stage 3 as in prod, behind a virtual network.

using '../main.bicep'
extends 'prod.bicepparam'

param privateNetworking = true

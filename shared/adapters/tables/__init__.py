"""The table port over the REST interface that Azure Table Storage, Azurite and Azure Cosmos DB for Table share.

`adapter` keeps the port's promise. It hands on to `entities`, rows as the store's JSON and its limits; `requests`, what
is asked and answered; `transactions`, several operations as one request; `account`, where the store is; and `pipeline`,
azure-core with the few policies that this needs, over `transport`, one aiohttp session. Both are imported for the first
request. It creates no tables.

https://learn.microsoft.com/rest/api/storageservices/table-service-rest-api
"""
